"""The application: what is open while it serves, who stands at its gate, and which rooms lie behind."""

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from fastapi import Depends, FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.telemetry import TelemetryConfig
from starlette.exceptions import HTTPException

from gadoscope.classification.classifier import Classifier
from gadoscope.errors import GadoscopeError
from gadoscope.files import scratch_folder
from gadoscope.results.store.room import Room
from gadoscope.version import __version__
from gadoscope.web import assets, problems, room
from gadoscope.web.answering import Answering
from gadoscope.web.api import classify, pictures, reviews, store, system
from gadoscope.web.api import jobs as job_operations
from gadoscope.web.api.classify import Desk
from gadoscope.web.api.description import BEARER, describe
from gadoscope.web.body_limit import BodyLimit
from gadoscope.web.evidence import Evidence
from gadoscope.web.jobs import Jobs
from gadoscope.web.limits import RateLimit
from gadoscope.web.log import Log
from gadoscope.web.metrics import Metrics
from gadoscope.web.opened import Scans
from gadoscope.web.security import sign_in
from gadoscope.web.security.access import AccessFile
from gadoscope.web.security.gate import Gate
from gadoscope.web.security.headers import SecurityHeaders
from gadoscope.web.security.identity import need_for_page
from gadoscope.web.settings import MEBIBYTE, Limits, Settings
from gadoscope.web.watching import Watch

API = "/api/v1"
UPLOADS = "gadoscope-uploads"
"""Of the name of the folder in which uploads lie."""
BODY_BYTES = MEBIBYTE
"""Of every request that is no upload."""
ABOUT = (
    "Tells from the pixels whether a T1 brain MRI was acquired before or after gadolinium. Not a medical "
    "device."
)
_NO_TELEMETRY: TelemetryConfig = {
    "tracing": False,
    "metrics": False,
    "logs": False,
    "operation_spans": False,
    "auto_configure": False,
}


def make_app(settings: Settings, *, log: Log | None = None) -> FastAPI:
    """Return the application that serves a store.

    Parameters
    ----------
    settings
        What is served, and to whom.
    log
        Takes what happens; by default the standard error.

    Raises
    ------
    UsageError
        If the store, the model or the file of users cannot be used.
    """
    log = log or Log()
    app = FastAPI(
        title="Gadoscope",
        version=__version__,
        description=ABOUT,
        docs_url=None,  # its page loads scripts from elsewhere
        redoc_url=None,
        openapi_url=f"{API}/openapi.json",
        lifespan=_open_and_close,
        telemetry=_NO_TELEMETRY,
    )
    state = app.state
    state.settings, state.log, state.metrics = settings, log, Metrics()
    state.access = None if settings.access is None else AccessFile(settings.access)
    state.sign_in_tries = RateLimit(sign_in.TRIES_PER_MINUTE, "sign-ins", burst=sign_in.TRIES_PER_MINUTE)
    state.classifier = Classifier(settings.model, jobs=1)
    state.room = Room(settings.store)
    state.scans, state.evidence = Scans(), Evidence(state.classifier.session)
    _answer_errors(app)
    _include_rooms(app)
    rate = RateLimit(settings.limits.token_per_minute, "requests of one token")
    app.add_middleware(BodyLimit, most=BODY_BYTES, longer={f"{API}{classify.AT}": settings.limits.body_bytes})
    app.add_middleware(Gate, file=state.access, rate=rate)  # the last one added stands outermost
    app.add_middleware(SecurityHeaders)
    app.add_middleware(Watch, log=log, metrics=state.metrics)
    return app


@asynccontextmanager
async def _open_and_close(app: FastAPI) -> AsyncIterator[None]:
    state = app.state
    limits: Limits = state.settings.limits
    folder = (state.settings.spool or Path(tempfile.gettempdir())) / UPLOADS
    jobs = Jobs(limits, state.log, state.metrics)
    answering = Answering(state.classifier.session, limits, state.metrics)
    with scratch_folder(folder) as spool:
        state.desk = Desk.open(answering, jobs, spool, limits)
        state.log("started", version=__version__, model=state.classifier.bundle.model_id)
        try:
            yield
        finally:
            jobs.close()
            state.room.close()
            state.classifier.close()
            state.log("stopped")


def _answer_errors(app: FastAPI) -> None:
    app.add_exception_handler(problems.Problem, problems.answer_problem)
    app.add_exception_handler(HTTPException, problems.answer_http)
    app.add_exception_handler(RequestValidationError, problems.answer_invalid)
    app.add_exception_handler(GadoscopeError, problems.answer_ours)


def _include_rooms(app: FastAPI) -> None:
    app.openapi = partial(describe, app)  # type: ignore[method-assign]
    app.include_router(system.router)
    for router in (classify.router, job_operations.router, store.router, pictures.router, reviews.router):
        app.include_router(router, prefix=API, dependencies=[Depends(BEARER)])
    app.include_router(sign_in.router)
    app.include_router(room.router, dependencies=[Depends(need_for_page)], include_in_schema=False)
    app.mount(assets.AT, assets.Assets(), name="static")
