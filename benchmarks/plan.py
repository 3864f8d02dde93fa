"""Which benchmarks `make bench` and `make bench-quick` run: the same, with other sizes.

A whole run takes under 40 minutes on two cores that are idle, a quick one 6: whoever adds a benchmark, or
makes one longer, adds up the times that the page states.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Benchmark:
    """A module of this package that measures something, and how large it is run.

    Parameters
    ----------
    name
        Of the module.
    title
        Of its section.
    says
        What is measured, for who reads the page: one or two sentences.
    whole, quick
        Its options.
    """

    name: str
    title: str
    says: str
    whole: tuple[str, ...] = ()
    quick: tuple[str, ...] = ()


PLAN = (
    Benchmark(
        "lesson",
        "The lesson beside Keras",
        "Training, evaluating and classifying with the lesson's network, and the same pipeline in Keras, on "
        "the same images in the same run.",
        quick=("--images", "60", "--epochs", "2"),
    ),
    Benchmark(
        "archive",
        "An archive of DICOM",
        "Studies of five series in six transfer syntaxes, classified with the lesson's network, untrained; a "
        "tenth of them by the plain script that one would write with pydicom and ONNX Runtime.",
        quick=("--studies", "10", "--most", "24"),
    ),
    Benchmark(
        "headers",
        "Headers, and series from cold",
        "Processor time of one header of about 130 elements, beside opening and reading its file and beside "
        "pydicom; then whole processes that answer one series with the default.",
        quick=("--seconds", "1", "--starts", "2"),
    ),
    Benchmark(
        "growth",
        "Cost as work grows",
        "Whole processes on more and more of one kind of work: processor time and the most memory of all "
        "processes together, and the exponent of a line `start + each * n ** exponent` through the times.",
        quick=("--quick",),
    ),
    Benchmark(
        "nightly",
        "The run that is repeated",
        "An archive classified into a store, once more as it is, and with a few studies more, by whole "
        "processes with the default.",
        quick=("--studies", "20"),
    ),
    Benchmark(
        "cluster",
        "A cluster",
        "Tasks that a driver hands to two Dask workers, its memory, and an archive classified by two workers "
        "beside two threads.",
        quick=("--series", "1000", "--studies", "4"),
    ),
    Benchmark(
        "default_latency",
        "A slice with the default",
        "The network that ships and the image path before it, one slice in one thread.",
        quick=("--runs", "100"),
    ),
    Benchmark(
        "default_speed",
        "Training the default",
        "Epochs of the default's recipe, and of the same network in a plain PyTorch loop on the same slices.",
        quick=("--epochs", "1", "--steps", "3"),
    ),
    Benchmark(
        "gpu_training",
        "Training the default on a GPU",
        "Images a second, beside the loader's limit and beside the same network in plain torch.",
    ),
    Benchmark(
        "report",
        "A report",
        "Everything that `gadoscope evaluate` does after the network has answered.",
        quick=("--slices", "2000"),
    ),
    Benchmark(
        "answers_page",
        "The page of a run",
        "What `classify --report` adds, in processor seconds and in megabytes.",
        quick=("--studies", "12", "--rounds", "1"),
    ),
    Benchmark(
        "store",
        "A store of answers",
        "Answers of made-up series written into SQLite and PostgreSQL, and a query by phase and agreement "
        "that one row in a hundred fits.",
        quick=("--answers", "2000", "--rows-asked", "20000"),
    ),
    Benchmark(
        "api",
        "The REST API",
        "Clients that send slices at once to `gadoscope serve`, every answer compared with the "
        "command line's, and a DICOM series sent whole.",
        quick=("--clients", "8", "--seconds", "5", "--rounds", "2"),
    ),
    Benchmark(
        "study_aware",
        "Judging a study together",
        "What judging the series of a study together changes, by simulated networks on phantom heads: of all "
        "series those that are wrong and those without an answer, from each alone to all together.",
        quick=("--subjects", "6", "--networks", "8"),
    ),
    Benchmark(
        "audit_copies",
        "Finding copies",
        "Which copies of slices the audit finds, what it takes for copies wrongly, and what comparing all "
        "with all costs.",
        quick=("--subjects", "4", "--images", "1000"),
    ),
)
