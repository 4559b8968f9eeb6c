# Targets: `gateway` (the default) and `services`, the sample services of the demo.

FROM node:26-slim AS build
WORKDIR /app
# Only what decides which packages are installed, so that a change of the sources reuses this layer. Scripts are
# left out: this image is the pinned Node, and `prepare` needs the sources.
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts
COPY nest-cli.json tsconfig.json tsconfig.build.json .swcrc ./
COPY src src
RUN npm run build

FROM node:26-slim AS production
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# `prepare` would call the Nest CLI, which is a development dependency. What is optional writes clients and serves nobody.
RUN npm ci --omit=dev --omit=optional --ignore-scripts && npm cache clean --force

FROM production AS services
ENV NODE_ENV=production HOST=0.0.0.0
COPY src/routes/services/gen src/routes/services/gen
COPY src/listeners/free-port.ts src/listeners/free-port.ts
COPY src/upstreams/grpc/gen src/upstreams/grpc/gen
COPY examples/services examples/services
USER node
EXPOSE 4100-4104 4201-4202 4300
HEALTHCHECK --interval=5s --timeout=3s --start-period=5s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:4100/services').then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
# Node strips the types of the sources as it loads them.
CMD ["node", "examples/services/main.ts"]

FROM production AS gateway
# The sample's modules; another project names its own, or none.
ENV NODE_ENV=production PORT=8080 ADMIN_PORT=9080 GATEHOUSE_MODULES=dist/routes/index.js
COPY bin bin
COPY config config
COPY --from=build /app/dist dist
# What V8 makes of the code, kept for this user and these flags: a start compiles nothing. Whoever else runs it has none of it.
ENV NODE_COMPILE_CACHE=/app/compiled
RUN install -d -o node compiled
USER node
RUN node --max-semi-space-size=64 --no-allocation-site-pretenuring --v8-pool-size=1 --external-memory-accounted-in-global-limit bin/gatehouse.js validate > /dev/null 2>&1 || true
EXPOSE 8080 9080
HEALTHCHECK --interval=5s --timeout=3s --start-period=10s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:' + process.env.PORT + '/health/ready').then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
# The process is PID 1 and handles SIGTERM itself: it drains, then exits with 0.
CMD ["node", "--max-semi-space-size=64", "--no-allocation-site-pretenuring", "--v8-pool-size=1", "--external-memory-accounted-in-global-limit", "bin/gatehouse.js", "start"]
