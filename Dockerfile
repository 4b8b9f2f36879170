# Small and dull: the image's own Node 24 runs the sources as they are, so there is no build stage to trust.
FROM node:24-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
# The optional packages are a Node for machines that lack one; this image has it.
RUN npm ci --omit=dev --omit=optional --no-audit --no-fund && npm cache clean --force

FROM node:24-slim
RUN apt-get update \
 && apt-get install -y --no-install-recommends tini \
 && rm -rf /var/lib/apt/lists/* \
 && mkdir /data && chown node:node /data
WORKDIR /app
COPY --from=dependencies /app/node_modules ./node_modules
COPY package.json run.cjs LICENSE ./
COPY migrations ./migrations
COPY machines ./machines
COPY supervisors ./supervisors
COPY src ./src
ENV NODE_ENV=production BULKHEAD_DATA_DIR=/data
USER node
VOLUME /data
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s --retries=3 \
  CMD ["node", "src/app/main.ts", "status", "--health"]
# tini reaps and hands on signals; the runtime drains on SIGTERM and exits within shutdown.deadlineMs.
ENTRYPOINT ["tini", "--", "node", "src/app/main.ts"]
CMD ["run"]
