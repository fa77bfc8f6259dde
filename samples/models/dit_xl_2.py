"""DiT-XL/2 (Peebles and Xie, 2023) by diffusers: one denoising step on 256 x 256 images.

mirc compile samples/models/dit_xl_2.py -o dit.mir
"""

import torch
from diffusers import DiTTransformer2DModel


def build():
    """Give the transformer and the latents, step and label of one guided sample."""
    model = DiTTransformer2DModel(
        num_attention_heads=16,
        attention_head_dim=72,
        in_channels=4,
        out_channels=8,
        num_layers=28,
        attention_bias=True,
        sample_size=32,
        patch_size=2,
        activation_fn="gelu-approximate",
        num_embeds_ada_norm=1000,
        norm_type="ada_norm_zero",
        norm_elementwise_affine=False,
    )
    latents = torch.randn(2, 4, 32, 32)  # with and without the label
    steps = torch.full((2,), 500)
    labels = torch.tensor([207, 1000])
    return model, (latents, steps, labels), {"return_dict": False}
