# mxray as one static program in an empty image: `docker build -t mxray .`
# It needs no file beside itself: roots, senders and the lab are built in.
FROM rust:1.95-bookworm AS build
WORKDIR /src
COPY . .
# `--build-arg COMMIT=$(git rev-parse --short=12 HEAD)`: the image has no git.
ARG COMMIT=
ENV MXRAY_COMMIT=$COMMIT
ARG TARGET=x86_64-unknown-linux-gnu
RUN cargo --config .github/static.toml rustc --profile dist --locked --target "$TARGET" --bin mxray \
    && mv "target/$TARGET/dist/mxray" /mxray

FROM scratch
COPY --from=build /mxray /mxray
# Runs are written to the current folder: mount yours at /work.
WORKDIR /work
# Nobody by number, for there is no /etc/passwd here.
USER 65534:65534
ENTRYPOINT ["/mxray"]
