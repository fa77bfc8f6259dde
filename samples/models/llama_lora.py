"""Llama 3 8B with LoRA adapters (Hu et al., 2021) by peft: one prompt, adapters not merged.

mirc compile samples/models/llama_lora.py -o lora.mir
"""

import torch
from peft import LoraConfig, get_peft_model
from transformers import LlamaConfig, LlamaForCausalLM

LLAMA_3_8B = LlamaConfig(
    vocab_size=128256,
    hidden_size=4096,
    intermediate_size=14336,
    num_hidden_layers=32,
    num_attention_heads=32,
    num_key_value_heads=8,
    max_position_embeddings=8192,
    dtype=torch.bfloat16,
)


def build():
    """Give the adapted model and a prompt of 512 tokens."""
    model = LlamaForCausalLM(LLAMA_3_8B).to(torch.bfloat16)
    adapters = LoraConfig(r=16, lora_alpha=32, target_modules=["q_proj", "v_proj"])
    adapted = get_peft_model(model, adapters)  # they stay in float32
    prompt = torch.zeros(1, 512, dtype=torch.long)
    return adapted, (), {"input_ids": prompt, "use_cache": True, "return_dict": False}
