# One image for every process; the command says which one it is.
FROM python:3.13-slim

ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1

RUN useradd --system --uid 10001 --create-home --home-dir /var/lib/rollbook rollbook
WORKDIR /opt/rollbook

# The libraries change less often than the code, so they are a layer of their own.
COPY requirements.txt ./
RUN pip install --require-hashes --no-deps --only-binary :all: -r requirements.txt

COPY pyproject.toml LICENSE ./
COPY domain domain
COPY eventlog eventlog
COPY directory directory
COPY projections projections
COPY proof proof
COPY audit audit
COPY workers workers
COPY api api
COPY rollbook rollbook
RUN pip install --no-build-isolation --no-deps .

USER rollbook
ENV ROLLBOOK_HOME=/var/lib/rollbook ROLLBOOK_BIND=0.0.0.0:8000
VOLUME /var/lib/rollbook
EXPOSE 8000
ENTRYPOINT ["rollbook"]
CMD ["api"]
