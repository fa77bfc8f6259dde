"""A Hugging Face configuration into phases to capture: no weights, no network."""

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
from mirc.frontend.entry import CacheRef, CaptureOptions, Entry
from mirc.frontend.phases import PhaseSizes

PRESETS = files("mirc.frontend") / "presets"
PROMPT = 512
SPEECH_PROMPT = 128


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
        ``forward``. Cache shapes come from running the prefill on the meta device, never from
        counting heads (a latent cache has none).
        """
        defaults, keys = self._kinds(options.batch)
        wanted = phases.requested(options.phases, defaults, keys)
        for sizes in wanted:
            self._fits(sizes)
        with torch.no_grad(), torch.device("meta"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return [self._entry(sizes) for sizes in wanted]

    def _kinds(self, batch: int) -> tuple[dict[str, PhaseSizes], dict[str, tuple[str, ...]]]:
        if not self._generates():
            keys = ("seq", "batch") if self.model.main_input_name == "input_ids" else ("batch",)
            seq = min(PROMPT, self._positions() or PROMPT) if "seq" in keys else 1
            return {"forward": PhaseSizes(name="forward", seq=seq, batch=batch)}, {"forward": keys}
        prompt = SPEECH_PROMPT if self.model.config.is_encoder_decoder else PROMPT
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
        if getattr(self.config, "rope_parameters", None):
            return None
        for key in ("max_target_positions", "max_position_embeddings", "n_positions"):
            limit = getattr(self.config, key, None)
            if isinstance(limit, int):
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

    def _entry(self, sizes: PhaseSizes) -> Entry:
        if not self._generates():
            return _entry(sizes, wrappers.Plain(self.model), (), kwargs=self._main_input(sizes))
        if self.model.config.is_encoder_decoder:
            return self._encoder_decoder(sizes)
        tokens = _tokens(sizes.batch, sizes.seq)
        if not sizes.past:
            names = _names("kv.layers", self._layers(), grows=True)
            return _entry(
                sizes, wrappers.CausalPrefill(self.model), (tokens,), caches_out=(None, *names)
            )
        filled = self.model(input_ids=_tokens(sizes.batch, sizes.past), use_cache=True)
        past = _pairs(filled.past_key_values)
        names = _names("kv.layers", len(past), grows=True)
        caches = (None, *names)
        wrapper = wrappers.CausalDecode(self.model)
        return _entry(sizes, wrapper, (tokens, past), caches_in=caches, caches_out=caches)

    def _layers(self) -> int:
        return int(self.config.num_hidden_layers)

    def _decoder_layers(self) -> int:
        config = self.model.config
        for key in ("decoder_layers", "num_decoder_layers", "num_hidden_layers"):
            count = getattr(config, key, None)
            if isinstance(count, int):
                return count
        return self._layers()

    def _encoder_decoder(self, sizes: PhaseSizes) -> Entry:
        (encoder_input,) = self._main_input(sizes).values()
        tokens = _tokens(sizes.batch, sizes.seq)
        if not sizes.past:
            layers = self._decoder_layers()
            caches = (
                *_names("kv.decoder.layers", layers, grows=True),
                *_names("kv.cross.layers", layers, grows=False),
            )
            wrapper: nn.Module = wrappers.SpeechPrefill(self.model)
            return _entry(sizes, wrapper, (encoder_input, tokens), caches_out=(None, *caches))
        filled = self.model(
            **{self.model.main_input_name: encoder_input},
            decoder_input_ids=_tokens(sizes.batch, sizes.past),
            use_cache=True,
        )
        past = _pairs(filled.past_key_values.self_attention_cache)
        cross = _pairs(filled.past_key_values.cross_attention_cache)
        own = _names("kv.decoder.layers", len(past), grows=True)
        wrapper = wrappers.SpeechDecode(self.model)
        states = filled.encoder_last_hidden_state
        return _entry(
            sizes,
            wrapper,
            (tokens, states, past, cross),
            caches_in=(None, None, *own, *_names("kv.cross.layers", len(cross), grows=False)),
            caches_out=(None, *own),
        )

    def _main_input(self, sizes: PhaseSizes) -> dict[str, torch.Tensor]:
        config, name = self.model.config, self.model.main_input_name
        dtype = self.model.dtype
        shape: tuple[int, ...]
        if name == "input_ids":
            return {name: _tokens(sizes.batch, sizes.seq)}
        if name == "pixel_values":
            side = config.image_size
            height, width = side if isinstance(side, list | tuple) else (side, side)
            shape = (sizes.batch, config.num_channels, height, width)
        elif name == "input_features":
            # two mel frames a position: the encoder's second convolution has stride 2
            shape = (sizes.batch, config.num_mel_bins, 2 * config.max_source_positions)
        elif name == "input_values":
            shape = (sizes.batch, 16_000)  # one second of sound
        else:
            raise CouldNotRun(
                f"cannot make up the input `{name}` of `{self.name}`",
                "write a file with `mirc_entries()` that gives the model and its inputs",
            )
        return {name: torch.empty(shape, dtype=dtype)}


def _tokens(batch: int, count: int) -> torch.Tensor:
    return torch.zeros(batch, count, dtype=torch.long)


def _pairs(cache: Any) -> list[tuple[torch.Tensor, torch.Tensor]]:
    # empty_like: fresh storages, so that no part is a view of what the prefill computed
    return [
        (torch.empty_like(layer.keys), torch.empty_like(layer.values)) for layer in cache.layers
    ]


def _names(family: str, layers: int, *, grows: bool) -> tuple[CacheRef, ...]:
    return tuple(
        CacheRef(f"{family}.{layer}", grows) for layer in range(layers) for _ in ("key", "value")
    )


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
