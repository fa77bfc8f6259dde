"""A Hugging Face model into modules whose inputs and outputs are plain tensors, caches included."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from transformers import DynamicCache, EncoderDecoderCache

Parts = Sequence[tuple[Tensor, Tensor]]


def cache_parts(cache: Any) -> list[Tensor]:
    """Give the tensors of a cache, layer by layer, keys (or latent) first."""
    return [part for layer in cache.layers for part in (layer.keys, layer.values)]


class CausalPrefill(nn.Module):
    """All tokens of a prompt at once; the cache begins empty and is handed out."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.inner = model

    def forward(self, input_ids: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Give the logits and the cache of ``input_ids`` (batch, tokens)."""
        out = self.inner(input_ids=input_ids, use_cache=True)
        return out.logits, cache_parts(out.past_key_values)


class CausalDecode(nn.Module):
    """New tokens after those in the cache, which comes in and goes out as tensors."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.inner = model

    def forward(self, input_ids: Tensor, past: Parts) -> tuple[Tensor, list[Tensor]]:
        """Give the logits and the grown cache; ``past`` is (keys, values) per layer."""
        cache = DynamicCache(ddp_cache_data=past)
        out = self.inner(input_ids=input_ids, past_key_values=cache, use_cache=True)
        return out.logits, cache_parts(out.past_key_values)


class SpeechPrefill(nn.Module):
    """The encoder once, then the decoder's prompt; both caches are handed out."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.inner = model

    def forward(
        self, encoder_input: Tensor, decoder_input_ids: Tensor
    ) -> tuple[Tensor, list[Tensor], list[Tensor]]:
        """Give the logits, the decoder's own cache, and the cross-attention cache."""
        named = {str(self.inner.main_input_name): encoder_input}
        out = self.inner(**named, decoder_input_ids=decoder_input_ids, use_cache=True)
        caches = out.past_key_values
        return (
            out.logits,
            cache_parts(caches.self_attention_cache),
            cache_parts(caches.cross_attention_cache),
        )


class SpeechDecode(nn.Module):
    """New decoder tokens; the encoder has run, only its cross-attention cache is read."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.inner = model

    def forward(
        self, decoder_input_ids: Tensor, encoder_states: Tensor, past: Parts, cross: Parts
    ) -> tuple[Tensor, list[Tensor]]:
        """Give the logits and the decoder's own cache, grown; ``cross`` is only read."""
        caches = EncoderDecoderCache(
            DynamicCache(ddp_cache_data=past), DynamicCache(ddp_cache_data=cross)
        )
        out = self.inner(
            encoder_outputs=(encoder_states,),
            decoder_input_ids=decoder_input_ids,
            past_key_values=caches,
            use_cache=True,
        )
        return out.logits, cache_parts(out.past_key_values.self_attention_cache)


class Plain(nn.Module):
    """One forward pass without a cache: an encoder, an image classifier."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.inner = model

    def forward(self, **inputs: Tensor) -> list[Tensor]:
        """Give every tensor of the result."""
        out = self.inner(**inputs)
        return [part for part in out.to_tuple() if isinstance(part, torch.Tensor)]
