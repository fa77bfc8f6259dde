"""A Hugging Face model into modules whose inputs and outputs are plain tensors, caches included."""

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch._export.utils import _compiling_state_context
from transformers import EncoderDecoderCache

from mirc.frontend.cache_tensors import cache_parts, refilled

Parts = Sequence[Sequence[Tensor]]


def cache_of(out: Any) -> Any:
    """Give the cache of a model's result, whichever name its kind has for it; None without one."""
    return getattr(out, "past_key_values", None) or getattr(out, "cache_params", None)


@contextlib.contextmanager
def as_exported() -> Iterator[None]:
    """Let models take the paths that they take under torch.export.

    Outside it some look into a mask whether it masks anything, and a mask on meta holds nothing;
    and experts that are not of bfloat16 go through a product that has no form on meta.
    """
    with _compiling_state_context():  # what torch.export itself sets
        yield


class CausalPrefill(nn.Module):
    """All tokens of a prompt at once; the cache begins empty and is handed out."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.inner = model

    def forward(self, input_ids: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Give the logits and the cache of ``input_ids`` (batch, tokens)."""
        out = self.inner(input_ids=input_ids, use_cache=True)
        return out.logits, cache_parts(cache_of(out))


class CausalDecode(nn.Module):
    """New tokens after those in the cache, which comes in and goes out as tensors.

    ``like`` is a cache after as many tokens: how its layers slide and what they have seen.
    """

    def __init__(self, model: nn.Module, like: Any, name: str) -> None:
        super().__init__()
        self.inner = model
        self.like = like
        self.name = name

    def forward(self, input_ids: Tensor, past: Parts) -> tuple[Tensor, list[Tensor]]:
        """Give the logits and the cache after; ``past`` are its tensors before, by layer."""
        cache = refilled(self.like, past)
        out = self.inner(input_ids=input_ids, use_cache=True, **{self.name: cache})
        return out.logits, cache_parts(cache_of(out))


class Seq2SeqPrefill(nn.Module):
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


class Seq2SeqDecode(nn.Module):
    """New decoder tokens; the encoder has run, only its cross-attention cache is read.

    ``like`` is the pair of caches after as many tokens.
    """

    def __init__(self, model: nn.Module, like: Any) -> None:
        super().__init__()
        self.inner = model
        self.like = like

    def forward(
        self, decoder_input_ids: Tensor, encoder_states: Tensor, past: Parts, cross: Parts
    ) -> tuple[Tensor, list[Tensor]]:
        """Give the logits and the decoder's own cache, grown; ``cross`` is only read."""
        caches = EncoderDecoderCache(
            refilled(self.like.self_attention_cache, past),
            refilled(self.like.cross_attention_cache, cross),
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
