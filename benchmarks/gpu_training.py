"""Training the default on a GPU: images a second, beside the loader's limit and a plain loop in torch.

    python -m benchmarks.gpu_training

Minutes on a GPU; without one it says so and ends. `gadoscope`'s own training (Fabric, bf16, channels last) is
timed as it is, then its steps alone on batches that are there already, then the same network in plain torch
on the same batches. Augmentation is NumPy's, on a processor, one batch ahead in a thread of its own: how many
images it makes a second is the loader's limit, which no GPU passes. ``--accelerator cpu`` tries the script.
"""

import statistics
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812  # the name that every torch programme uses

from benchmarks.default_latency import make_slice
from benchmarks.plain_loop import Plain
from benchmarks.table import Row, begin_parser, finish, write_rows
from gadoscope.imaging.intensity import ImagePath
from gadoscope.labels import Label
from gadoscope.models.registry import build_network
from gadoscope.preparation.items import Item
from gadoscope.preparation.store import CODES, Store
from gadoscope.training.batches import Batch, Share, iter_batches
from gadoscope.training.config import TrainingConfig, read_config
from gadoscope.training.data import TrainingData
from gadoscope.training.devices import Accelerator, start_fabric
from gadoscope.training.loop import Learner, Tally, build_learner, fit, take_step
from gadoscope.training.shipped import CONFIGS

SETTINGS = (
    "precision=bf16",
    "threads=0",
    "members=1",
    "mirrored=false",
    "gate.counterexamples=0.0",
    "gate.use_other=false",
    "sampling.shares={}",
)
"""One network without a gate, which is what the plain loop trains."""
N_IMAGES = 256
N_READY = 4
"""Batches that are made before the steps alone are timed, and shown to them in turn."""
N_FIRST = 5
"""Steps before the first that counts: libraries load, memory is taken, the clocks rise."""
NO_GPU = "There is no GPU here, so training on one was not measured; --accelerator cpu tries the script."


def main() -> None:
    """Measure and print; or say that there is no GPU."""
    parser = begin_parser(__doc__)
    parser.add_argument("--accelerator", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--steps", type=int, default=150, help="that count, of each way")
    arguments = parser.parse_args()
    if arguments.accelerator == "cuda" and not torch.cuda.is_available():
        write_rows([_note("training on a GPU", NO_GPU)], arguments.rows)
        print(NO_GPU)
        return
    config = read_config(CONFIGS / "default.toml", SETTINGS)
    finish(measure(config, arguments.accelerator, arguments.steps), arguments.rows)


def measure(config: TrainingConfig, accelerator: Accelerator, steps: int) -> list[Row]:
    """Return images a second of each way.

    Parameters
    ----------
    config
        Of one network without a gate.
    steps
        That count; each way takes `N_FIRST` more.
    """
    total = N_FIRST + steps
    config = config.with_values(epochs=1, sampling=replace(config.sampling, steps_per_epoch=total))
    fabric = start_fabric(config, accelerator=accelerator, devices=1)
    data = TrainingData(train=_make_store(config.training_image), validation=_make_store(config.image))

    def begin() -> Learner:
        return build_learner(
            build_network(config.network, config.seed), config, fabric, n_images=len(data.train.items)
        )

    loader_s = _time_each(_iter_ready(config, data.train, total), lambda _: None)
    with tempfile.TemporaryDirectory(prefix="gadoscope-bench-") as run:
        moments = fit(begin(), data, run=Path(run), identity={})
        whole_s = _time_each((one for one in moments if one.row is None), lambda _: None)
    ready = list(_iter_ready(config, data.train, N_READY))
    ours, tally = begin(), Tally()
    ours.model.train()
    alone_s = _time_each(_in_turn(ready, total), lambda batch: take_step(ours, batch, tally))
    step = _plain_step(config, fabric.device)
    plain_s = _time_each(_in_turn(ready, total), step)

    name = torch.cuda.get_device_name() if accelerator == "cuda" else "a processor"
    whole, loader, alone, plain = (config.batch_size / one for one in (whole_s, loader_s, alone_s, plain_s))
    return [
        _note("where", f"{name}, torch {torch.__version__}, {config.precision}"),
        _note("training, images/s", f"{whole:.0f}"),
        _note("beside the loader alone", _divide(whole, loader)),
        _note("beside plain torch that waits for no batch", _divide(whole, plain)),
        _note("its steps alone, batches ready, beside plain torch", _divide(alone, plain)),
        _note("what limits", "the loader" if loader < alone else "the step"),
    ]


def _note(name: str, measured: str) -> Row:
    return Row(name, "", measured)


def _divide(ours: float, other: float) -> str:
    return f"{ours:.0f} / {other:.0f} = {ours / other:.2f}"


def _make_store(image_path: ImagePath) -> Store:
    """Return one phantom slice again and again, its grey levels moved a little, half of it called post."""
    resized = image_path.resize_slice(make_slice())
    darker = np.arange(N_IMAGES, dtype=np.uint8) % 16
    labels = [Label.POST if index % 2 else Label.PRE for index in range(N_IMAGES)]
    return Store(
        images=np.maximum(resized, darker[:, None, None]) - darker[:, None, None],
        labels=np.array([CODES[label] for label in labels], np.uint8),
        digests=("",) * N_IMAGES,
        items=tuple(Item(path=Path(f"/{index}.png"), label=label) for index, label in enumerate(labels)),
    )


def _iter_ready(config: TrainingConfig, store: Store, steps: int) -> Iterator[Batch]:
    features = build_network(config.network, config.seed)
    batches = iter_batches(
        store,
        np.arange(len(store.items)),
        config=config,
        epoch=1,
        share=Share(),
        dropout=(features.n_features, features.dropout_rate),
    )
    for _, batch in zip(range(steps), batches, strict=False):
        yield batch


def _in_turn(ready: list[Batch], steps: int) -> Iterator[Batch]:
    return (ready[index % len(ready)] for index in range(steps))


def _time_each(given: Iterable[Any], call: Callable[[Any], object]) -> float:
    """Return the median of the seconds from one call to the next, making what is given counted in."""
    marks = []
    for one in given:
        call(one)
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        marks.append(time.perf_counter())
    return statistics.median(np.diff(marks[N_FIRST:]))


def _plain_step(config: TrainingConfig, device: torch.device) -> Callable[[Batch], None]:
    """Return a step as torch's own pages write it: AdamW, autocast, channels last, its fastest kernels."""
    torch.use_deterministic_algorithms(False)
    torch.backends.cudnn.benchmark = True
    network = Plain().to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stub lacks this documented overload
    network.train()
    settings = config.optimiser
    optimiser = torch.optim.AdamW(
        network.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay
    )

    def step(batch: Batch) -> None:
        images = batch.images.to(device, memory_format=torch.channels_last)
        targets = batch.targets.to(device)
        optimiser.zero_grad()
        with torch.autocast(device.type, torch.bfloat16, enabled=config.precision == "bf16"):
            logits = network(images)
        torch.autograd.backward(F.binary_cross_entropy_with_logits(logits.float(), targets))
        optimiser.step()

    return step


if __name__ == "__main__":
    main()
