// Runs the checks: node run.js PROGRAM, where PROGRAM is the compiled internal/conformance.
'use strict';

const { after, before, describe, test } = require('node:test');
const { Contacts } = require('@gohighlevel/api-client/dist/lib/code/contacts/contacts');
const { check, counted, start } = require('./fake');

const fake = {};

describe('package ghltest, driven by the vendor\'s client', { concurrency: false }, () => {
	before(async () => {
		Object.assign(fake, await start(process.argv[2]));
	});
	after(() => fake.stop?.());
	require('./contacts')(fake);
	require('./oauth')(fake);
	require('./webhooks')(fake);
	require('./errors')(fake);
	test('every operation of contacts was called', () => {
		const operations = Object.getOwnPropertyNames(Contacts.prototype).filter((name) => name !== 'constructor');
		check.equal(operations.length, 32);
		check.deepEqual([...counted.operations].sort(), operations.sort());
	});
});

process.on('exit', () => console.log(`node conformance: ${counted.checks} checks`));
