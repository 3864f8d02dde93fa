"""Why an object cannot be listed or read, in one sentence: of every library's errors, and without their text.

An error of a library may quote an address with its password, or a header with a key: only its kind is told.
"""

import errno

from gadoscope.errors import ReadError
from gadoscope.reading.os_errors import ExplainedOSError

_AWAY = {
    "ClientConnectionError",
    "ConnectionError",
    "FSTimeoutError",
    "HTTPClientError",
    "TimeoutError",
    "gaierror",
}
_LOGIN = {
    "CredentialRetrievalError",
    "NoCredentialsError",
    "PartialCredentialsError",
    "ProfileNotFound",
    "SSOError",
    "TokenRetrievalError",
    "UnauthorizedSSOTokenError",
    "ConfigParseError",
}
"""Names of classes: whoever reads from a web server has no botocore to import them from."""
_REFUSED_STATUS, _GONE_STATUS = (401, 403, 407), (404, 410)

_MISSING = ReadError(
    "missing", "there is no such object; check the address, or whether it was removed after it was listed."
)
_NO_BUCKET = ReadError(
    "missing",
    "there is no bucket of this name; check the address, and AWS_ENDPOINT_URL if it is not Amazon's.",
)
_NO_PERMISSION = ReadError(
    "no_permission",
    "the server gives no permission to read it; check which credentials the environment names (AWS_PROFILE, "
    "AWS_ACCESS_KEY_ID), or ask who owns it.",
)
_NO_LOGIN = ReadError(
    "no_permission",
    "no credentials were found; set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or of a "
    "public bucket FSSPEC_S3='{\"anon\": true}'.",
)
_UNREACHABLE = ReadError(
    "unreachable",
    "the server could not be reached, though it was tried several times; check the network and the address, "
    "and run again.",
)
CHANGED = ReadError("changed", "the file changed while it was read; run again when it is still.")


def explain(error: BaseException) -> ExplainedOSError:
    """Return the error that says why, with what its row says."""
    if isinstance(error, ExplainedOSError):
        return error
    chain = [error]
    while (cause := chain[-1].__cause__) is not None and cause not in chain:
        chain.append(cause)
    for one in reversed(chain):  # the first cause knows best
        found = _explain_one(one)
        if found is not None:
            return found
    said = f"the server could not give it ({type(error).__name__}); check the address and try again."
    return ExplainedOSError(errno.EIO, ReadError("io_error", said))


def _explain_one(error: BaseException) -> ExplainedOSError | None:
    names = {kind.__name__ for kind in type(error).__mro__}
    status, code = getattr(error, "status", None), _find_code(error)
    is_gone = isinstance(error, FileNotFoundError) or code in ("NoSuchKey", "404") or status in _GONE_STATUS
    is_refused = isinstance(error, PermissionError) or status in _REFUSED_STATUS
    meanings = (
        (code == "NoSuchBucket" or "ParamValidationError" in names, errno.ENOENT, _NO_BUCKET),
        (is_gone, errno.ENOENT, _MISSING),
        (bool(names & _LOGIN), errno.EACCES, _NO_LOGIN),
        (is_refused, errno.EACCES, _NO_PERMISSION),
        (code in ("InvalidRange", "416"), errno.EIO, CHANGED),
        (bool(names & _AWAY), errno.EIO, _UNREACHABLE),
    )
    return next((ExplainedOSError(number, meaning) for is_so, number, meaning in meanings if is_so), None)


def _find_code(error: BaseException) -> str:
    response = getattr(error, "response", None)
    found = response.get("Error", {}) if isinstance(response, dict) else {}
    return str(found.get("Code", ""))
