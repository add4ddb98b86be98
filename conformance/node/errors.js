// Errors: the form of refusals.
'use strict';

const { test } = require('node:test');
const {
	GHLAuthenticationError, GHLForbiddenError, GHLNetworkError, GHLNotFoundError, GHLRateLimitError, GHLServerError,
	GHLValidationError,
} = require('@gohighlevel/api-client');
const { check } = require('./fake');

module.exports = (fake) => {
	let client;

	// refused checks that a call fails with a kind of error and returns the error.
	async function refused(call, kind, statusCode, message) {
		let error;
		await check.rejects(call, (e) => {
			error = e;
			return true;
		});
		check.equal(error.constructor, kind, error.message);
		check.equal(error.statusCode, statusCode);
		check.match(error.message, message);
		return error;
	}
	const read = (contactId = fake.Contact) => client.contacts.getContact({ contactId });

	test('400', async () => {
		client = fake.client();
		const unknown = await refused(read('unknown1unknown1unkn'), GHLValidationError, 400, /unknown1unknown1unkn not found/);
		check.equal(unknown.response.status, 400);
		check.equal(unknown.response.statusCode, undefined);
		const { contact } = await client.contacts.createContact({
			locationId: fake.Location, firstName: 'Mary', email: 'mary@example.com',
		});
		const twice = await refused(client.contacts.createContact({
			locationId: fake.Location, firstName: 'Mary', email: 'mary@example.com',
		}), GHLValidationError, 400, /This location does not allow duplicated contacts/);
		check.equal(twice.response.meta.contactId, contact.id);
		check.equal(twice.response.meta.matchingField, 'email');
		check.equal(twice.response.statusCode, 400);
		await fake.fail('gateway timeout 400', 'contacts.get');
		await refused(read(), GHLValidationError, 400, /Request Timeout/);
	});

	test('401', async () => {
		for (const [token, message] of [['wrong', /Invalid JWT/], ['pit-wrong', /Invalid Private Integration token/]]) {
			client = fake.client({ privateIntegrationToken: token });
			const { response } = await refused(read(), GHLAuthenticationError, 401, message);
			check.equal(response.statusCode, 401);
		}
		client = fake.client();
		await fake.fail('missing scope', 'contacts.get');
		await refused(read(), GHLAuthenticationError, 401, /not authorized for this scope/);
		await refused(client.contacts.getContact({ contactId: fake.Contact }, { headers: { Version: '2000-01-01' } }),
			GHLAuthenticationError, 401, /version header is invalid/);
	});

	test('403', async () => {
		client = fake.client();
		const { response } = await refused(client.contacts.getContacts({ locationId: 'elsewhere1elsewhere1' }),
			GHLForbiddenError, 403, /The token does not have access to this location/);
		check.equal(response.statusCode, 403);
		await refused(client.contacts.getContacts({}), GHLForbiddenError, 403, /./);
		await fake.fail('forbidden', 'contacts.get');
		await refused(read(), GHLForbiddenError, 403, /Forbidden resource/);
	});

	test('404', async () => {
		client = fake.client();
		await fake.fail('cannot get', 'contacts.get');
		await refused(read(), GHLNotFoundError, 404, /Cannot GET/);
		await fake.fail('empty 404', 'contacts.get');
		await refused(read(), GHLNotFoundError, 404, /^$/);
	});

	test('422', async () => {
		client = fake.client();
		const { response } = await refused(client.contacts.updateContact({ contactId: fake.Contact }, {
			companyName: 'No', locationId: fake.Location, invented: 1,
		}), GHLValidationError, 422, /property invented should not exist/);
		check.equal(response.statusCode, 422);
		check.equal(response.error, 'Unprocessable Entity');
		check.ok(Array.isArray(response.message));
		for (const name of ['companyName', 'locationId', 'invented']) {
			check.ok(response.message.includes(`property ${name} should not exist`), name);
		}
		await refused(client.contacts.updateContact({ contactId: fake.Contact }, { gender: 'female' }),
			GHLValidationError, 422, /property gender should not exist/);
		const searched = await refused(client.contacts.searchContactsAdvanced({
			locationId: fake.Location, pageLimit: 10,
			filters: [{ field: 'dateAdded', operator: 'eq', value: '2030-01-01' }],
		}), GHLValidationError, 422, /Operator/);
		check.equal(typeof searched.response.message, 'string');
		await refused(client.contacts.createTask({ contactId: fake.Contact }, { title: 'x' }), GHLValidationError, 422,
			/dueDate/);
	});

	test('429', async () => {
		client = fake.client();
		await fake.fail('too many requests', 'contacts.get');
		const burst = await refused(read(), GHLRateLimitError, 429, /Too Many Requests/);
		check.equal(burst.rateLimit.scope, 'burst');
		check.equal(burst.rateLimit.max, 5000);
		check.equal(burst.rateLimit.intervalMs, 10_000);
		check.equal(burst.rateLimit.dailyLimit, 200_000);
		await fake.fail('daily limit', 'contacts.get');
		const daily = await refused(read(), GHLRateLimitError, 429, /./);
		check.equal(daily.rateLimit.scope, 'daily');
		check.equal(daily.rateLimit.dailyRemaining, 0);
		check.ok(daily.rateLimit.dailyResetMs > 0);
	});

	test('server and network', async () => {
		client = fake.client();
		await fake.fail('internal error', 'contacts.get');
		await refused(read(), GHLServerError, 500, /./);
		await fake.fail('bad gateway', 'contacts.get');
		const { response } = await refused(read(), GHLServerError, 502, /html/i);
		check.equal(typeof response, 'string');
		await fake.fail('cut', 'contacts.get');
		await refused(read(), GHLNetworkError, undefined, /No response/);
		check.equal((await read()).contact.id, fake.Contact, 'the fault hits once');
	});

	test('an endpoint that the fake does not have', async () => {
		client = fake.client();
		const error = await refused(client.users.getUserByLocation({ locationId: fake.Location }), GHLServerError, 501, /ghltest/);
		check.match(error.message, /users/i);
	});
};
