// Starts the fake server and a receiver of its webhooks, and counts checks.
'use strict';

const assert = require('node:assert/strict');
const { spawn } = require('node:child_process');
const http = require('node:http');
const readline = require('node:readline');
const { HighLevel } = require('@gohighlevel/api-client');

const counted = { checks: 0, operations: new Set() };

const check = {};
for (const name of ['equal', 'deepEqual', 'notEqual', 'ok', 'match', 'rejects']) {
	check[name] = (...args) => {
		counted.checks++;
		return assert[name](...args);
	};
}

// start runs the program internal/conformance and returns the server.
async function start(program) {
	const deliveries = [];
	const receiver = http.createServer(async (request, response) => {
		const parts = [];
		for await (const part of request) parts.push(part);
		deliveries.push({ headers: request.headers, raw: Buffer.concat(parts) });
		response.end();
	});
	await new Promise((resolve) => receiver.listen(0, '127.0.0.1', resolve));
	receiver.unref();
	const child = spawn(program, [`http://127.0.0.1:${receiver.address().port}/webhooks`], {
		stdio: ['pipe', 'pipe', 'inherit'],
	});
	const lines = readline.createInterface({ input: child.stdout })[Symbol.asyncIterator]();
	const next = async () => {
		const { value, done } = await lines.next();
		if (done) throw new Error('the fake server has ended');
		return JSON.parse(value);
	};
	const seeds = await next();
	const command = async (line) => {
		child.stdin.write(`${JSON.stringify(line)}\n`);
		await next();
	};
	HighLevel.BASE_URL = seeds.URL;
	return {
		...seeds,
		command,
		fail: (fault, operation) => command({ do: 'fail', fault, operation }),
		// delivered returns the deliveries since the last call.
		async delivered() {
			await command({ do: 'flush' });
			return deliveries.splice(0);
		},
		// client returns the vendor's client with a private token, or with the settings.
		client: (settings) => watched(new HighLevel({
			logLevel: 'none', ...(settings ?? { privateIntegrationToken: seeds.Token }),
		})),
		async stop() {
			child.stdin.end();
			await new Promise((resolve) => child.once('exit', resolve));
			receiver.close();
		},
	};
}

// watched records which operations of contacts a client calls.
function watched(client) {
	client.contacts = new Proxy(client.contacts, {
		get(contacts, name) {
			if (Object.hasOwn(Object.getPrototypeOf(contacts), name)) counted.operations.add(name);
			return contacts[name];
		},
	});
	return client;
}

module.exports = { check, counted, start };
