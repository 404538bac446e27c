"""The API in this process, asked by one client."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from http import HTTPStatus
from time import perf_counter

from flask.testing import FlaskClient

from api.app import create_app
from api.local_key import local_verifier, make_token, new_private_key
from api.services import Services
from projections.positions import Positions
from rollbook.assembly import event_codec, write_side
from rollbook.checkpoint_key import signer
from rollbook.settings import Settings

KEY = new_private_key()
MS_PER_SECOND = 1000
_DAY = timedelta(days=1)


@contextmanager
def client_of(settings: Settings, role: str) -> Iterator[FlaskClient]:
    """A client of the API on these settings, with a token of this role."""
    positions = Positions(str(settings.database_url))
    bearer = make_token(KEY, subject=f"{role}-1", roles=[role], lifetime=_DAY)
    with write_side(settings, 2) as side:
        services = Services(
            training=side.training,
            employees=side.employees,
            pool=side.pool,
            log=side.recorder,
            mapper=event_codec(),
            positions=positions,
            verifier=local_verifier(KEY),
            signer=signer(settings.checkpoints),
        )
        client = create_app(services).test_client()
        client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {bearer}"
        yield client
    positions.close()


def time_of(client: FlaskClient, path: str) -> float:
    """Ask for the path below the API's; milliseconds. Raises AssertionError for a problem."""
    began = perf_counter()
    answer = client.get(f"/api/hr/training/{path}")
    taken = (perf_counter() - began) * MS_PER_SECOND
    assert answer.status_code == HTTPStatus.OK, (path, answer.data)
    return taken
