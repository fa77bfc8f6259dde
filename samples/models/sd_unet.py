"""The UNet of Stable Diffusion 1.5 by diffusers: one denoising step on 512 x 512 images.

mirc compile samples/models/sd_unet.py -o unet.mir
"""

import torch
from diffusers import UNet2DConditionModel


def build():
    """Give the UNet and the latents, step and text states of one guided sample."""
    model = UNet2DConditionModel(
        sample_size=64,
        cross_attention_dim=768,
        attention_head_dim=8,
        block_out_channels=(320, 640, 1280, 1280),
    ).to(torch.float16)
    latents = torch.randn(2, 4, 64, 64, dtype=torch.float16)  # with and without the text
    text = torch.randn(2, 77, 768, dtype=torch.float16)
    return model, (latents, torch.tensor(500), text), {"return_dict": False}
