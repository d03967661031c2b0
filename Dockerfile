# syntax=docker/dockerfile:1

FROM python:3.11-slim-trixie AS packages
COPY requirements.txt .
RUN python -m venv /venv \
    && /venv/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements.txt

FROM python:3.11-slim-trixie
ENV PATH=/venv/bin:$PATH \
    MALLOC_ARENA_MAX=2 \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    SDWEB_DATA=/data \
    STATIC_ROOT=/srv/static
# pg_dump of the database's version, for `manage.py backup`; fonts for text in drawings of SVG
RUN apt-get update \
    && apt-get install -y --no-install-recommends fonts-dejavu-core postgresql-client-17 \
    && rm -rf /var/lib/apt/lists/*
RUN useradd --uid 10001 --user-group --no-create-home --home-dir /data --shell /usr/sbin/nologin sdweb \
    && install -d -o sdweb -g sdweb /data /data/spool
COPY --from=packages /venv /venv
WORKDIR /app
COPY manage.py ./
COPY deploy/healthcheck.py deploy/progress.py deploy/
COPY generations generations
COPY sdweb sdweb
COPY static static
COPY templates templates
# Else each container compiles it at each start, as does each health check.
RUN python -m compileall -q generations sdweb deploy
# Collecting reads the settings, but uses none of these.
RUN SECRET_KEY=only-to-collect-static-files \
    ENCRYPTION_KEYS=b25seS10by1jb2xsZWN0LXN0YXRpYy1maWxlcy0hISE= \
    DATABASE_URL=sqlite://:memory: \
    REDIS_URL=redis://127.0.0.1:1/0 \
    python manage.py collectstatic --noinput
USER sdweb
EXPOSE 8000
CMD ["uvicorn", "sdweb.asgi:application", "--host=0.0.0.0", "--port=8000", "--timeout-graceful-shutdown=3", "--timeout-keep-alive=620", "--no-access-log"]
