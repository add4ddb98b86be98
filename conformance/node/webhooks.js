// Webhooks: the vendor's middleware verifies the deliveries of the fake server.
'use strict';

const { createPublicKey } = require('node:crypto');
const { test } = require('node:test');
const { MemorySessionStorage } = require('@gohighlevel/api-client');
const { check } = require('./fake');

// keys are the forms in which the middleware takes the key.
function keys(pem) {
	const der = createPublicKey(pem).export({ format: 'der', type: 'spki' });
	const raw = der.subarray(-32);
	return { pem, spki: der.toString('base64'), base64: raw.toString('base64'), hex: raw.toString('hex') };
}

// requests are the forms in which a server passes a delivery to the middleware.
const requests = {
	'raw body beside the parsed one': ({ headers, raw }) => ({ headers, rawBody: raw, body: JSON.parse(raw) }),
	'raw text': ({ headers, raw }) => ({ headers, rawBody: raw.toString('utf8'), body: JSON.parse(raw) }),
	'raw body': ({ headers, raw }) => ({ headers, body: raw }),
	'parsed body, serialised again': ({ headers, raw }) => ({ headers, body: JSON.parse(raw) }),
};

module.exports = (fake) => {
	const receiver = (settings) => fake.client({
		clientId: fake.ClientID, clientSecret: fake.ClientSecret, webhookPublicKey: fake.PublicKey, ...settings,
	});

	// receive passes a request to the middleware and returns it with the outcome.
	async function receive(client, request) {
		let failed;
		await client.webhooks.subscribe()(request, {}, (error) => { failed = error; });
		check.equal(failed, undefined);
		check.equal(request.skippedSignatureVerification, false);
		return request;
	}

	test('deliveries are verified, also when their body is serialised again', async () => {
		await fake.delivered();
		const client = fake.client();
		const awkward = 'Tom & Jerry <b>"quoted"</b> \u2028\u2029 \\ / é ☃ 😀 \u0007\u007f\t';
		const { contact } = await client.contacts.createContact({
			locationId: fake.Location, firstName: awkward, email: 'tom@example.com',
			customFields: [{ id: fake.TextField, field_value: awkward }, { id: fake.NumberField, field_value: 1e21 }],
		});
		const contactId = contact.id;
		await client.contacts.createNote({ contactId }, { body: awkward });
		await client.contacts.createTask({ contactId }, {
			title: awkward, body: awkward, dueDate: '2030-05-06T12:00:00Z', completed: false,
		});
		await client.contacts.updateContact({ contactId }, {
			customFields: [{ id: fake.NumberField, field_value: 0.1 }, { id: fake.TextField, field_value: '' }],
		});
		await client.contacts.addTags({ contactId }, { tags: ['a & b'] });
		await client.contacts.deleteContact({ contactId });
		const deliveries = await fake.delivered();
		const types = deliveries.map(({ raw }) => JSON.parse(raw).type);
		for (const type of ['ContactCreate', 'NoteCreate', 'TaskCreate', 'ContactUpdate', 'ContactTagUpdate', 'ContactDelete']) {
			check.ok(types.includes(type), `${type} in ${types}`);
		}
		const first = JSON.parse(deliveries[0].raw);
		check.equal(first.locationId, fake.Location);
		check.equal(first.appId, fake.AppID);
		check.equal(first.id, contactId);
		check.match(first.webhookId, /^[0-9a-f-]{36}$/);
		check.match(first.timestamp, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
		for (const delivery of deliveries) {
			for (const [form, request] of Object.entries(requests)) {
				const { isSignatureValid } = await receive(receiver(), request(delivery));
				check.equal(isSignatureValid, true, `${form}: ${delivery.raw}`);
			}
		}
		for (const [form, webhookPublicKey] of Object.entries(keys(fake.PublicKey))) {
			const { isSignatureValid } = await receive(receiver({ webhookPublicKey }), requests['raw body'](deliveries[0]));
			check.equal(isSignatureValid, true, form);
		}
	});

	test('a changed delivery is not valid', async () => {
		const client = fake.client();
		await client.contacts.addTags({ contactId: fake.Contact }, { tags: ['changed'] });
		const [delivery] = await fake.delivered();
		const raw = Buffer.from(delivery.raw.toString('utf8').replace('ContactTagUpdate', 'ContactTagUpdatf'));
		for (const changed of [
			{ ...delivery, raw },
			{ ...delivery, raw: Buffer.concat([delivery.raw, Buffer.from(' ')]) },
			{ ...delivery, headers: { ...delivery.headers, 'x-ghl-signature': Buffer.alloc(64).toString('base64') } },
		]) {
			const { isSignatureValid } = await receive(receiver(), requests['raw body'](changed));
			check.equal(isSignatureValid, false);
		}
		const published = 'MCowBQYDK2VwAyEAi2HR1srL4o18O8BRa7gVJY7G7bupbN3H9AwJrHCDiOg=';
		const other = await receive(receiver({ webhookPublicKey: published }), requests['raw body'](delivery));
		check.equal(other.isSignatureValid, false, 'the vendor\'s own key');
	});

	test('an install stores a token, an uninstall removes it', async () => {
		await fake.command({ do: 'consent', locations: [fake.Location] });
		await fake.command({ do: 'uninstall', location: fake.Location });
		await fake.delivered();
		const sessionStorage = new MemorySessionStorage();
		const client = receiver({ sessionStorage });
		const address = new URL(client.oauth.getAuthorizationUrl(fake.ClientID, fake.RedirectURL, 'oauth.write'));
		const response = await fetch(new URL(address.pathname + address.search, fake.URL), { redirect: 'manual' });
		const token = await client.oauth.getAccessToken({
			client_id: fake.ClientID, client_secret: fake.ClientSecret, grant_type: 'authorization_code',
			code: new URL(response.headers.get('location')).searchParams.get('code'), user_type: 'Company',
			redirect_uri: fake.RedirectURL,
		});
		await sessionStorage.setSession(fake.Company, token);
		const installs = (await fake.delivered()).filter(({ raw }) => JSON.parse(raw).locationId === fake.Location);
		check.deepEqual(installs.map(({ raw }) => JSON.parse(raw).type), ['INSTALL']);
		const { isSignatureValid, installTokenError } = await receive(client, requests['raw body'](installs[0]));
		check.equal(isSignatureValid, true);
		check.equal(installTokenError, undefined);
		const stored = await sessionStorage.getSession(fake.Location);
		check.equal(stored.locationId, fake.Location);

		await fake.command({ do: 'uninstall', location: fake.Location });
		const [uninstall] = await fake.delivered();
		check.equal(JSON.parse(uninstall.raw).type, 'UNINSTALL');
		await receive(client, requests['parsed body, serialised again'](uninstall));
		check.equal(await sessionStorage.getSession(fake.Location), null);
		const revoked = fake.client({ clientId: 'x-y', clientSecret: 'z', locationAccessToken: stored.access_token });
		await check.rejects(revoked.contacts.getContact({ contactId: fake.Contact }), { statusCode: 401 });
	});
};
