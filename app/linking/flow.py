"""What the pages need of the flow that links accounts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Protocol, cast

from fastapi import Depends, Request

if TYPE_CHECKING:
    from uuid import UUID

    from app.linking.schemas import ConnectionInfo, ConnectionPage, ProviderInfo


class Flow(Protocol):
    """The flow; each step raises `LinkingError` where it is refused."""

    def providers(self) -> list[ProviderInfo]:
        """List the providers."""
        ...

    async def start(self, provider: str, *, owner: UUID, session: str) -> str:
        """Begin to link an account; return the provider's address to go to."""
        ...

    async def finish(self, receipt: str, *, session: str) -> ConnectionInfo:
        """Link the account that the provider sent the person back with."""
        ...

    async def connections(self, owner: UUID, *, limit: int = 50, after: str | None = None) -> ConnectionPage:
        """List a person's connections; raise `ValueError` if `after` is no `next` of a page."""
        ...

    async def connection(self, owner: UUID, connection: UUID, /) -> ConnectionInfo:
        """Show a connection."""
        ...

    async def refresh(self, owner: UUID, connection: UUID, /) -> ConnectionInfo:
        """Get new tokens."""
        ...

    async def disconnect(self, owner: UUID, connection: UUID, /, *, forget: bool = False) -> bool:
        """Revoke the tokens, and forget the connection; tell whether they are revoked."""
        ...


def flow_of(request: Request) -> Flow:
    """Inject the flow."""
    return cast("Flow", request.state.linking)


FlowDep = Annotated[Flow, Depends(flow_of)]
