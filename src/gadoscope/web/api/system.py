"""Whether the server lives, whether it can work, and what it counts: for whoever keeps it."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from gadoscope.errors import GadoscopeError
from gadoscope.version import __version__
from gadoscope.web.api.schemas import Health, Readiness, problems
from gadoscope.web.metrics import MEDIA_TYPE
from gadoscope.web.problems import Problem
from gadoscope.web.security.access import Scope
from gadoscope.web.security.identity import Caller, need

router = APIRouter(tags=["server"])


@router.get("/healthz")
async def healthz() -> Health:
    """Say that the server lives. It asks nothing of the store, and nobody who they are."""
    return Health(status="alive", version=__version__)


@router.get("/readyz", responses=problems(503))
def readyz(request: Request) -> Readiness:
    """Say whether requests can be answered: the store answers, and the model is loaded."""
    try:
        request.app.state.room.count(run=0)
    except GadoscopeError as error:
        raise Problem(503, "store-unavailable", str(error), headers={"Retry-After": "5"}) from None
    return Readiness(status="ready", model=request.app.state.classifier.bundle.model_id)


@router.get(
    "/metrics",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}, **problems(401, 403)},
)
def metrics(request: Request, _: Annotated[Caller, Depends(need(Scope.READ))]) -> Response:
    """Give what is counted, as Prometheus reads it."""
    return Response(request.app.state.metrics.write(), media_type=MEDIA_TYPE)
