# Builds an image that runs as nobody in particular on a read-only root: only /out, /state and /tmp are written.
#   docker build -t cluster-reporter .
#   docker run --rm --read-only --tmpfs /tmp -v "$PWD/report:/out" -v reporter-state:/state cluster-reporter demo
ARG PYTHON=3.13

FROM python:${PYTHON}-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /src
COPY requirements.lock requirements-build.lock ./
RUN python -m venv /srv/build && /srv/build/bin/pip install --require-hashes -r requirements-build.lock
RUN python -m venv /srv/reporter && /srv/reporter/bin/pip install --require-hashes -r requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY reporter ./reporter
COPY templates ./templates
RUN /srv/build/bin/hatchling build -t wheel -d /tmp/wheel && /srv/reporter/bin/pip install --no-deps --no-index /tmp/wheel/*.whl

FROM python:${PYTHON}-slim
RUN apt-get update \
    && apt-get install --no-install-recommends -y libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fonts-noto-core fonts-noto-cjk fonts-noto-color-emoji \
    && rm -rf /var/lib/apt/lists/*
COPY --from=build /srv/reporter /srv/reporter
RUN install -d -o 10001 -g 10001 -m 0750 /out /state
ENV PATH=/srv/reporter/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 HOME=/tmp MPLCONFIGDIR=/tmp/matplotlib XDG_CACHE_HOME=/tmp/cache REPORTER_OUT=/out REPORTER_STATE=/state
USER 10001:10001
WORKDIR /out
VOLUME ["/out", "/state"]
ENTRYPOINT ["reporter"]
CMD ["--help"]
