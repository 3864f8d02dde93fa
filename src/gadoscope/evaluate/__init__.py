"""How good is a bundle, and what is the figure worth: a model and labelled images become a report.

===========  ====================================================
``run``      the flow: models, data, scores, report
``models``   models that are evaluated, and which images may judge them
``images``   labelled images become scores
``gate``     what a bundle's gate says of these images
``rivals``   ways to answer without a network
``cases``    pictures of wrong answers
===========  ====================================================
"""

from gadoscope.evaluate.images import OnProgress
from gadoscope.evaluate.rivals import RIVALS
from gadoscope.evaluate.run import DEFAULT_CASES, HTML_NAME, JSON_NAME, PREDICTIONS_NAME, Evaluation, evaluate

__all__ = [
    "DEFAULT_CASES",
    "HTML_NAME",
    "JSON_NAME",
    "PREDICTIONS_NAME",
    "RIVALS",
    "Evaluation",
    "OnProgress",
    "evaluate",
]
