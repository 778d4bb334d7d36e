"""The sections of the stack config that hold for all services of an environment."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from infra.catalogue import ImageSource
from infra.config_values import Duration, Name, PinnedImage, Size, seconds
from infra.section import Section


class NetworkSettings(Section):
    """`dashtam:network`: the network that an environment's services share."""

    internal: bool = False
    """No way out to the internet or to other networks, and no published ports."""


class TokenSettings(Section):
    """`dashtam:tokens`: how providers' tokens are encrypted."""

    keys: Annotated[tuple[Name, ...], Field(min_length=1)] = ("k1",)
    """The names of the keys that providers' tokens are encrypted with: the last one encrypts, every one decrypts."""

    @model_validator(mode="after")
    def _keys_are_distinct(self) -> Self:
        if len(set(self.keys)) != len(self.keys):
            raise ValueError("a key is named twice; give each a name of its own, such as k1 and k2")
        return self


class HealthSettings(Section):
    """`dashtam:health`: how services are checked."""

    start_interval: Duration = "500ms"
    """Time between two checks until the first success."""
    interval: Duration = "5s"
    """Time between two checks from then on."""
    timeout: Duration = "5s"
    """How long one check may take."""
    retries: Annotated[int, Field(ge=1, le=100)] = 5
    """Failed checks in a row until a container that was healthy counts as unhealthy."""
    wait: Duration = "90s"
    """How long `up` waits for a container to become healthy."""

    @model_validator(mode="after")
    def _starts_faster(self) -> Self:
        if seconds(self.start_interval) > seconds(self.interval):
            raise ValueError(
                f"start_interval {self.start_interval} is longer than interval {self.interval}, but a service that"
                " starts is to be checked more often; set interval to it or more"
            )
        return self


class ContainerSettings(Section):
    """`dashtam:containers`: what holds for every container."""

    restart: Literal["no", "on-failure", "unless-stopped", "always"] = "no"
    """The engine's restart policy."""
    stop_grace: Duration = "30s"
    """Time to stop in good order before the engine kills."""
    log_size: Size = "16m"
    """The size at which a log file is rotated; three are kept."""


class CertificateSettings(Section):
    """`dashtam:certificates`: the stack's CA and its certificates."""

    validity_days: Annotated[int, Field(ge=2, le=825)] = 365
    """How long the CA and its certificates are valid."""
    renewal_days: Annotated[int, Field(ge=1, le=400)] = 30
    """An `up` within so many days of the end renews them."""

    @model_validator(mode="after")
    def _renewal_within_validity(self) -> Self:
        if self.renewal_days >= self.validity_days:
            raise ValueError(
                f"certificates of {self.validity_days} days would be renewed at every up;"
                " set renewal_days below validity_days"
            )
        return self


class ImageSettings(Section):
    """`dashtam:images`: the base images."""

    source: ImageSource | None = None
    """`registry` or `debian`; absent: what this machine uses."""
    postgres: PinnedImage | None = None
    """Another PostgreSQL image."""
    redis: PinnedImage | None = None
    """Another Redis image."""
    python: PinnedImage | None = None
    """Another base for the service's images."""
    node: PinnedImage | None = None
    """Another base for the sandbox's image."""


class TestSettings(Section):
    """`dashtam:tests`: the suite inside the environment."""

    image: bool = False
    """Also build the image that runs the suite inside the environment."""
