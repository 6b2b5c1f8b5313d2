# One image for every process of the product: the API, the worker and the one-shot commands.
# Node runs the TypeScript as it is; only the workflows are bundled, once, here.
#
# dev/topology runs these very lines without a container engine, so keep to FROM, WORKDIR, COPY,
# RUN, ENV, USER, EXPOSE, HEALTHCHECK and CMD, and to paths below /app.

FROM node:24-bookworm-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
COPY sdk/package.json ./sdk/
COPY cli/package.json cli/vinr.js ./cli/
# Optional packages are the embedded Postgres and compilers for development. No install script is
# needed, and none runs.
RUN npm ci --omit=dev --omit=optional --ignore-scripts --no-audit --no-fund
# The Temporal SDK brings its core for every platform; this one is the image's.
RUN find node_modules/@temporalio/core-bridge/releases -mindepth 1 -maxdepth 1 ! -name '*-linux-gnu' -exec rm -r {} +

FROM node:24-bookworm-slim AS workflows
WORKDIR /app
COPY package.json package-lock.json ./
COPY sdk/package.json ./sdk/
COPY cli/package.json cli/vinr.js ./cli/
# With the optional ones, for the bundler's compiler is among them.
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund
COPY config.ts ./
COPY domain ./domain
COPY temporal/names.ts ./temporal/
COPY workflows ./workflows
COPY worker ./worker
RUN node worker/bundle-main.ts workflow-bundle.js

FROM node:24-bookworm-slim
WORKDIR /app
ENV NODE_ENV=production
ENV WORKFLOW_BUNDLE=/app/workflow-bundle.js
# `vinr` is a command here.
ENV PATH=/app/node_modules/.bin:$PATH
COPY --from=dependencies /app/node_modules ./node_modules
COPY --from=dependencies /app/cli ./cli
COPY --from=workflows /app/workflow-bundle.js ./
COPY package.json config.ts ./
COPY domain ./domain
COPY db ./db
COPY temporal ./temporal
COPY app ./app
COPY activities ./activities
COPY workflows ./workflows
COPY worker ./worker
COPY process ./process
COPY api ./api
COPY deploy ./deploy
COPY cli ./cli
# Nothing here is writable for it, and nothing needs to be.
USER node
EXPOSE 3000 9464
# The API's; docker-compose.yml has the worker's.
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 \
  CMD ["node", "deploy/healthy.ts", "http://127.0.0.1:3000/health/ready"]
# Node is process 1 and handles SIGTERM itself: both mains drain and exit.
CMD ["node", "api/main.ts"]
