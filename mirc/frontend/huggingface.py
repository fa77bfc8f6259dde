"""A Hugging Face configuration into phases to capture: no weights, no network."""

import inspect
import json
import os
import warnings
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

# Set before the import: transformers reads it once. Nothing here ever downloads.
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")

import attrs
import torch
import transformers
from torch import nn
from transformers import PretrainedConfig

from mirc.diagnostics.errors import CouldNotRun
from mirc.frontend import phases, wrappers
from mirc.frontend.cache_tensors import cache_refs, stand_ins
from mirc.frontend.entry import CaptureOptions, Entry
from mirc.frontend.phases import PhaseSizes
from mirc.frontend.train_form import TRAIN
from mirc.frontend.train_huggingface import training_entry

PRESETS = files("mirc.frontend") / "presets"
PROMPT = 512
SPEECH_PROMPT = 128
IMAGE_SIDE = 224
BY_HAND = "write a file with `mirc_entries()` that gives the model and its inputs"
NARROW = "set `dtype` to `bfloat16` in the configuration: its kernels take nothing else"
SCAN_PROMPT = 16
"""Tokens of a state-space prompt: without its kernels the scan is unrolled, token by token."""


def preset_names() -> tuple[str, ...]:
    """List the bundled configurations."""
    found = (entry.name for entry in PRESETS.iterdir())
    return tuple(sorted(name.removesuffix(".json") for name in found if name.endswith(".json")))


def preset(name: str) -> "HuggingFaceModel":
    """Build the bundled configuration ``name`` (which must be one of :func:`preset_names`)."""
    return from_settings(name, json.loads((PRESETS / f"{name}.json").read_text("utf-8")))


def from_path(path: Path) -> "HuggingFaceModel":
    """Build the model of a ``config.json`` or of the folder that holds one, offline."""
    file = path / "config.json" if path.is_dir() else path
    try:
        settings = json.loads(file.read_text("utf-8"))
    except FileNotFoundError:
        raise CouldNotRun(
            f"no configuration at `{path}`",
            "give a config.json or the folder that holds one: nothing is downloaded",
        ) from None
    except (OSError, ValueError, RecursionError) as error:
        raise CouldNotRun(f"`{file}` is not a JSON configuration: {error}") from None
    if not isinstance(settings, dict):
        raise CouldNotRun(f"`{file}` is not a configuration: it holds no JSON object")
    return from_settings(path.name if path.is_dir() else path.parent.name or path.stem, settings)


def from_settings(name: str, settings: Mapping[str, Any]) -> "HuggingFaceModel":
    """Build a model on the meta device at its configuration's own dtype, ready for inference."""
    kind = settings.get("model_type")
    if not isinstance(kind, str):
        raise CouldNotRun(f"the configuration of `{name}` names no `model_type`")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return HuggingFaceModel(name=name, model=_build(kind, settings))
    except CouldNotRun:
        raise
    except Exception as error:  # noqa: BLE001 - whatever transformers makes of a stranger's values
        raise CouldNotRun(
            f"transformers cannot build `{name}`: {type(error).__name__}: {_first_line(error)}"
        ) from None


def _build(kind: str, settings: Mapping[str, Any]) -> nn.Module:
    auto: Any = transformers.AutoModel
    known = {key: value for key, value in settings.items() if key != "model_type"}
    known.pop("quantization_config", None)  # its kernels need weights; sizes follow the dtype
    config = transformers.AutoConfig.for_model(kind, **known)
    config._experts_implementation = None  # noqa: SLF001 - None picks grouped_mm, which exports
    architectures = config.architectures or ()
    built = getattr(transformers, architectures[0], None) if architectures else None
    dtype = config.dtype or torch.float32
    with torch.device("meta"):
        if built is None:
            model: nn.Module = auto.from_config(config, dtype=dtype)
        else:
            model = built._from_config(config, dtype=dtype)  # noqa: SLF001 - the one public spelling
    return model.eval()


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [""])[0]


@attrs.frozen(kw_only=True)
class HuggingFaceModel:
    """A model of transformers on the meta device, and the phases that its kind has."""

    name: str
    model: Any

    @property
    def config(self) -> PretrainedConfig:
        """The text (or only) part of the configuration."""
        config: PretrainedConfig = self.model.config.get_text_config(decoder=True)
        return config

    def entries(self, options: CaptureOptions) -> list[Entry]:
        """Give one entry per requested phase.

        Causal models and encoder-decoders have ``prefill`` and ``decode_step``, all others
        ``forward``; ``train`` is one training step, captured only where it is asked for. Cache
        shapes come from running the prefill on the meta device, never from counting heads (a
        latent cache has none).
        """
        wanted, _ = self._wanted(options)
        for sizes in wanted:
            self._fits(sizes)
        with torch.no_grad(), torch.device("meta"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                longest = max(wanted, key=lambda sizes: sizes.past)
                filled = self._filled(longest) if self._generates() else None
                return [self._entry(sizes, filled) for sizes in wanted]
            except CouldNotRun:
                raise
            except Exception as error:  # noqa: BLE001 - a stranger's values may only fail here
                what = f"{type(error).__name__}: {_first_line(error)}"
                raise CouldNotRun(
                    f"transformers cannot run `{self.name}`: {what}",
                    NARROW if "BF16" in what else BY_HAND,
                ) from None

    def elsewhere(self, options: CaptureOptions) -> CaptureOptions:
        """Give the same phases with two more sequences and, from 8 tokens on, a quarter fewer.

        A training step keeps its tokens: losses of shifted labels grow with one token less.
        """
        wanted, keys = self._wanted(options)
        spelled = (
            phases.spelled(
                attrs.evolve(
                    sizes,
                    batch=sizes.batch + 2,
                    seq=sizes.seq * 3 // 4 if sizes.seq >= 8 and sizes.name != TRAIN else sizes.seq,
                ),
                keys[sizes.name],
            )
            for sizes in wanted
        )
        return attrs.evolve(options, phases=",".join(spelled))

    def _wanted(
        self, options: CaptureOptions
    ) -> tuple[tuple[PhaseSizes, ...], dict[str, tuple[str, ...]]]:
        """Return the phases asked for, and what may be set for each."""
        defaults, keys = self._kinds(options.batch)
        if options.phases is not None:
            first = next(iter(defaults.values()))
            defaults[TRAIN] = attrs.evolve(first, name=TRAIN)
            keys[TRAIN] = keys[first.name]
        return phases.requested(options.phases, defaults, keys), keys

    def _kinds(self, batch: int) -> tuple[dict[str, PhaseSizes], dict[str, tuple[str, ...]]]:
        if not self._generates():
            keys = ("seq", "batch") if self.model.main_input_name == "input_ids" else ("batch",)
            seq = min(PROMPT, self._positions() or PROMPT) if "seq" in keys else 1
            return {"forward": PhaseSizes(name="forward", seq=seq, batch=batch)}, {"forward": keys}
        prompt = SPEECH_PROMPT if self.model.config.is_encoder_decoder else PROMPT
        if getattr(self.model, "_is_stateful", False):
            prompt = SCAN_PROMPT
        prompt = min(prompt, (self._positions() or 2 * prompt) // 2)
        defaults = {
            "prefill": PhaseSizes(name="prefill", seq=prompt, batch=batch),
            "decode_step": PhaseSizes(name="decode_step", past=prompt, batch=batch),
        }
        return defaults, {"prefill": ("seq", "batch"), "decode_step": phases.KEYS}

    def _generates(self) -> bool:
        return bool(self.model.can_generate())

    def _positions(self) -> int | None:
        """Give the longest sequence of a model whose positions are a table that it learned."""
        relative = ("rope_parameters", "relative_attention_num_buckets")
        if any(getattr(self.config, key, None) for key in relative):
            return None
        for key in ("max_target_positions", "max_position_embeddings", "n_positions"):
            limit = getattr(self.config, key, None)
            if isinstance(limit, int) and limit > 0:
                return limit
        return None

    def _fits(self, sizes: PhaseSizes) -> None:
        limit = self._positions()
        if limit is not None and sizes.seq + sizes.past > limit:
            raise CouldNotRun(
                f"phase `{sizes.name}` has {sizes.seq + sizes.past} tokens, "
                f"`{self.name}` has positions for {limit}",
                f"keep seq + past at {limit} or below",
            )

    def _filled(self, sizes: PhaseSizes) -> Any:
        """Run the model over the tokens before a phase (one, if there are none): its caches."""
        tokens = _tokens(sizes.batch, sizes.past or 1)
        with wrappers.as_exported():
            if not self.model.config.is_encoder_decoder:
                return self.model(input_ids=tokens, use_cache=True)
            # a text encoder reads the prompt, as many tokens as its decoder has then written
            source = self._main_input(attrs.evolve(sizes, seq=sizes.past or 1))
            return self.model(**source, decoder_input_ids=tokens, use_cache=True)

    def _entry(self, sizes: PhaseSizes, filled: Any) -> Entry:
        if sizes.name == TRAIN:
            return training_entry(self.name, self.model, self._main_input(sizes), sizes)
        if not self._generates():
            return _entry(sizes, wrappers.Plain(self.model), (), kwargs=self._main_input(sizes))
        if self.model.config.is_encoder_decoder:
            return self._encoder_decoder(sizes, filled)
        tokens = _tokens(sizes.batch, sizes.seq)
        like = wrappers.cache_of(filled)
        if like is None:
            raise CouldNotRun(f"`{self.name}` keeps its past in a form that is not known", BY_HAND)
        caches = (None, *cache_refs(like, "kv.layers"))
        if not sizes.past:
            wrapper: nn.Module = wrappers.CausalPrefill(self.model)
            return _entry(sizes, wrapper, (tokens,), caches_out=caches)
        name = "past_key_values" if "past_key_values" in filled else "cache_params"
        wrapper = wrappers.CausalDecode(self.model, like, name)
        past = stand_ins(like)
        return _entry(sizes, wrapper, (tokens, past), caches_in=caches, caches_out=caches)

    def _encoder_decoder(self, sizes: PhaseSizes, filled: Any) -> Entry:
        like = filled.past_key_values
        own = cache_refs(like.self_attention_cache, "kv.decoder.layers")
        cross = cache_refs(like.cross_attention_cache, "kv.cross.layers", grows=False)
        tokens = _tokens(sizes.batch, sizes.seq)
        if not sizes.past:
            wrapper: nn.Module = wrappers.Seq2SeqPrefill(self.model)
            (encoder_input,) = self._main_input(sizes).values()
            caches = (None, *own, *cross)
            return _entry(sizes, wrapper, (encoder_input, tokens), caches_out=caches)
        wrapper = wrappers.Seq2SeqDecode(self.model, like)
        parts = (stand_ins(like.self_attention_cache), stand_ins(like.cross_attention_cache))
        return _entry(
            sizes,
            wrapper,
            (tokens, torch.empty_like(filled.encoder_last_hidden_state), *parts),
            caches_in=(None, None, *own, *cross),
            caches_out=(None, *own),
        )

    def _main_input(self, sizes: PhaseSizes) -> dict[str, torch.Tensor]:
        config, name = self.model.config, self.model.main_input_name
        dtype = self.model.dtype
        shape: tuple[int, ...]
        if name == "input_ids":
            words = {name: _tokens(sizes.batch, sizes.seq)}
            pair = "pixel_values" in inspect.signature(self.model.forward).parameters
            return words | self._image(sizes) if pair and not self._generates() else words
        if name == "pixel_values":
            return self._image(sizes)
        if name == "input_features":
            # two mel frames a position: the encoder's second convolution has stride 2
            shape = (sizes.batch, config.num_mel_bins, 2 * config.max_source_positions)
        elif name == "input_values":
            shape = (sizes.batch, 16_000)  # one second of sound
        else:
            raise CouldNotRun(f"cannot make up the input `{name}` of `{self.name}`", BY_HAND)
        return {name: torch.empty(shape, dtype=dtype)}

    def _image(self, sizes: PhaseSizes) -> dict[str, torch.Tensor]:
        config = getattr(self.model.config, "vision_config", self.model.config)
        side = getattr(config, "image_size", IMAGE_SIDE)
        height, width = side if isinstance(side, list | tuple) else (side, side)
        shape = (sizes.batch, getattr(config, "num_channels", 3), height, width)
        return {"pixel_values": torch.empty(shape, dtype=self.model.dtype)}


def _tokens(batch: int, count: int) -> torch.Tensor:
    return torch.zeros(batch, count, dtype=torch.long)


def _entry(sizes: PhaseSizes, module: nn.Module, args: tuple[Any, ...], **rest: Any) -> Entry:
    return Entry(
        phase=sizes.name,
        module=module.eval(),
        args=args,
        inner="inner",
        batch=sizes.batch,
        tokens=sizes.seq,
        past=sizes.past,
        **rest,
    )
