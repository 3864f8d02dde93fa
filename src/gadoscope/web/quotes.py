"""Whether a quote of a header may be shown: words that decided may, whole attributes may name a patient."""

from gadoscope.labels import QuoteMode


def quotes_words(version: str) -> bool:
    """Return whether answers of a version, as the store has it, quote only the words that decided."""
    return version.endswith(f"/{QuoteMode.WORDS}")
