# The service's images. Built by the classic builder too, which builds every stage above the one asked for:
# so what is shared and cheap comes first, and the test runner comes last.
ARG PYTHON_IMAGE=python:3.13.7-slim-trixie

# --- dependencies, from the lock alone: a source edit never comes here ---------------------------------------
FROM ${PYTHON_IMAGE} AS builder
ARG UV_VERSION=0.13.9
ENV UV_COMPILE_BYTECODE=1 \
    UV_LINK_MODE=copy \
    UV_NO_CACHE=1 \
    UV_PROJECT_ENVIRONMENT=/opt/venv \
    UV_PYTHON_DOWNLOADS=never \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1
WORKDIR /build
# The pattern makes the file optional: only a machine that trusts a private CA has one.
COPY pyproject.toml uv.lock .build/ca.cr[t] ./
# Runs a command that downloads, trusting the machine's own CAs where it has any.
RUN printf '%s\n' '#!/bin/sh' \
      '[ ! -s /build/ca.crt ] || export SSL_CERT_FILE=/build/ca.crt PIP_CERT=/build/ca.crt' \
      'exec "$@"' > /usr/local/bin/online \
    && chmod 0755 /usr/local/bin/online
RUN python3 -m venv /opt/uv && online /opt/uv/bin/pip install --quiet "uv==${UV_VERSION}"
RUN online /opt/uv/bin/uv sync --frozen --no-install-project --no-default-groups

# --- what every final image shares ---------------------------------------------------------------------------
FROM ${PYTHON_IMAGE} AS base
# A base may have the user already.
RUN getent passwd 10001 > /dev/null \
    || { groupadd --gid 10001 app \
         && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin app; }
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONPATH=/srv \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
WORKDIR /srv
LABEL dashtam.component="service" \
      org.opencontainers.image.title="Dashtam" \
      org.opencontainers.image.description="Links a person's financial accounts over OAuth" \
      org.opencontainers.image.licenses="Apache-2.0"

FROM base AS production
COPY --from=builder /opt/venv /opt/venv
COPY pyproject.toml /srv/
COPY app /srv/app
# A checkout has the modes that its user's umask gave it; another user runs this.
RUN chmod -R a=rX,u+w /srv/app /srv/pyproject.toml && python -m compileall -q /srv/app
USER 10001:10001
EXPOSE 8000
CMD ["python", "-m", "app.run.app"]

FROM production AS callback
LABEL org.opencontainers.image.title="Dashtam OAuth callback"
EXPOSE 8182
CMD ["python", "-m", "app.run.callback"]

# --- development: no source; it is mounted at /srv/app -------------------------------------------------------
FROM builder AS development-builder
RUN online /opt/uv/bin/uv sync --frozen --no-install-project --no-default-groups --group reload --group debugger

FROM base AS development
LABEL org.opencontainers.image.title="Dashtam development"
COPY --from=development-builder /opt/venv /opt/venv
COPY pyproject.toml /srv/
RUN chmod a=r,u+w /srv/pyproject.toml
USER 10001:10001
EXPOSE 8000 8182
CMD ["python", "-m", "app.run.app", "--reload"]

# --- the test runner: the service's suites, what they import and a browser; writes only under /tmp and /srv/reports ----
FROM builder AS test-builder
RUN online /opt/uv/bin/uv sync --frozen --no-install-project --no-default-groups --group reload --group test

# Below everything of ours, so that it is installed once a base, whatever changes.
FROM base AS browser
RUN apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends \
        chromium fonts-dejavu-core libnss3-tools \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/*.log /var/log/apt

FROM browser AS test
LABEL org.opencontainers.image.title="Dashtam test runner"
COPY --from=test-builder /opt/venv /opt/venv
COPY pyproject.toml /srv/
COPY app /srv/app
COPY infra/__init__.py infra/identity.py infra/loopback.py infra/outputs.py /srv/infra/
COPY tests/*.py tests/durations.json /srv/tests/
COPY tests/unit/app /srv/tests/unit/app
COPY tests/processes/app /srv/tests/processes/app
COPY tests/integration /srv/tests/integration
COPY tests/api /srv/tests/api
COPY tests/smoke /srv/tests/smoke
# Not its folder host: that needs an engine.
COPY tests/e2e/*.py /srv/tests/e2e/
# Where a volume is mounted, which takes its owner from here.
RUN chmod -R a=rX,u+w /srv && install -d -o 10001 -g 10001 /srv/reports
ENV HOME=/tmp \
    DASHTAM_SCREENSHOTS=/tmp/screenshots \
    COVERAGE_FILE=/tmp/coverage \
    HYPOTHESIS_STORAGE_DIRECTORY=/tmp/hypothesis \
    PYTEST_ADDOPTS="-o cache_dir=/tmp/pytest-cache"
USER 10001:10001
CMD ["pytest"]
