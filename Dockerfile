# syntax=docker/dockerfile:1

FROM rust:1.95-slim-bookworm AS build
# libpq is compiled from source; TLS to Postgres comes from the system's OpenSSL.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends libssl-dev pkg-config \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /source
COPY . .
# The caches are not part of the image, so that the program is copied out of them in the same step.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/source/target \
    cargo build --release --locked --features tls --bin copartner \
    && install -m 0755 target/release/copartner /usr/local/bin/copartner

FROM debian:bookworm-slim
# ca-certificates lets `sslmode=verify-full&sslrootcert=system` check a managed Postgres.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates libssl3 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin copartner
COPY --from=build /usr/local/bin/copartner /usr/local/bin/copartner
# By number, so that an orchestrator can see that it is not root.
USER 10001:10001
ENV COPARTNER_LISTEN=0.0.0.0:8080
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 CMD ["copartner", "healthcheck"]
ENTRYPOINT ["copartner"]
CMD ["serve"]
