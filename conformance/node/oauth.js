// OAuth: the consent, the exchange of a code, renewals, and tokens of an agency and its locations.
'use strict';

const { test } = require('node:test');
const { MemorySessionStorage, UserType } = require('@gohighlevel/api-client');
const { check } = require('./fake');

module.exports = (fake) => {
	const settings = () => ({ clientId: fake.ClientID, clientSecret: fake.ClientSecret });

	// consent returns the code of a person who consents at the URL that the client makes.
	async function consent(client) {
		const address = new URL(client.oauth.getAuthorizationUrl(
			fake.ClientID, fake.RedirectURL, 'contacts.readonly locations.readonly oauth.readonly oauth.write'));
		check.equal(address.origin + address.pathname, 'https://marketplace.gohighlevel.com/oauth/chooselocation');
		const response = await fetch(new URL(address.pathname + address.search, fake.URL), { redirect: 'manual' });
		check.equal(response.status, 302);
		const back = new URL(response.headers.get('location'));
		check.equal(back.origin + back.pathname, fake.RedirectURL);
		return back.searchParams.get('code');
	}

	const exchange = (client, code, user_type) => client.oauth.getAccessToken({
		client_id: fake.ClientID, client_secret: fake.ClientSecret, grant_type: 'authorization_code', code, user_type,
		redirect_uri: fake.RedirectURL,
	});
	const renew = (client, token, type = UserType.Location) => client.oauth.refreshToken(
		token, fake.ClientID, fake.ClientSecret, 'refresh_token', type);

	test('a location connects, and its token is renewed', async () => {
		const client = fake.client(settings());
		await fake.command({ do: 'consent', location: fake.Location });
		const code = await consent(client);
		const token = await exchange(client, code, UserType.Location);
		check.equal(token.token_type, 'Bearer');
		check.equal(token.expires_in, 86399);
		check.equal(token.userType, 'Location');
		check.equal(token.locationId, fake.Location);
		check.equal(token.companyId, fake.Company);
		check.match(token.scope, /contacts\.readonly/);
		check.match(token.userId, /./);
		await check.rejects(exchange(client, code, UserType.Location), (error) => error.statusCode === 401 ||
			error.statusCode === 400, 'a code works once');

		const renewed = await renew(client, token.refresh_token);
		check.notEqual(renewed.refresh_token, token.refresh_token);
		check.notEqual(renewed.access_token, token.access_token);
		check.equal(renewed.locationId, fake.Location);
		await check.rejects(renew(client, token.refresh_token), { statusCode: 400, message: /invalid/i });
		await check.rejects(client.oauth.refreshToken(renewed.refresh_token, fake.ClientID, 'wrong', 'refresh_token',
			UserType.Location), (error) => error.statusCode === 401 || error.statusCode === 400);
		const own = fake.client({ ...settings(), locationAccessToken: renewed.access_token });
		check.equal((await own.contacts.getContact({ contactId: fake.Contact })).contact.id, fake.Contact);
	});

	test('the client renews a token that has ended', async () => {
		const sessionStorage = new MemorySessionStorage();
		const client = fake.client({ ...settings(), sessionStorage });
		const token = await exchange(client, await consent(client), UserType.Location);
		await sessionStorage.setSession(fake.Location, token);
		await fake.command({ do: 'advance', hours: 25 });
		const lists = await Promise.all([1, 2, 3].map(() => client.contacts.getContacts({ locationId: fake.Location })));
		for (const list of lists) check.ok(list.contacts.length > 0);
		const stored = await sessionStorage.getSession(fake.Location);
		check.notEqual(stored.access_token, token.access_token);
		check.notEqual(stored.refresh_token, token.refresh_token);
	});

	test('an agency connects, and derives tokens of its locations', async () => {
		await fake.command({ do: 'consent', locations: [fake.Location] });
		const client = fake.client(settings());
		const token = await exchange(client, await consent(client), UserType.Company);
		check.equal(token.userType, 'Company');
		check.equal(token.companyId, fake.Company);
		check.equal(token.locationId, undefined);
		check.equal(token.isBulkInstallation, true);
		check.deepEqual(token.approvedLocations, [fake.Location]);

		const agency = fake.client({ ...settings(), agencyAccessToken: token.access_token });
		const derived = await agency.oauth.getLocationAccessToken({
			companyId: fake.Company, locationId: fake.Location,
		});
		check.equal(derived.locationId, fake.Location);
		check.equal(derived.expires_in, 86399);
		check.match(derived.refresh_token, /./);
		const location = fake.client({ ...settings(), locationAccessToken: derived.access_token });
		check.equal((await location.contacts.getContact({ contactId: fake.Contact })).contact.id, fake.Contact);

		const installed = await agency.oauth.getInstalledLocation({
			companyId: fake.Company, appId: fake.AppID, isInstalled: true, limit: '10', skip: '0',
		});
		check.equal(installed.count, 1);
		check.deepEqual(installed.locations.map((l) => l._id), [fake.Location]);
		check.equal(installed.locations[0].name, 'Harbour');
		check.equal(installed.locations[0].isInstalled, true);

		const read = await agency.locations.getLocation({ locationId: fake.Location });
		check.equal(read.location.id, fake.Location);
		check.equal(read.location.timezone, 'America/New_York');
		await check.rejects(agency.contacts.getContact({ contactId: fake.Contact }), { statusCode: 401 });
		await check.rejects(agency.oauth.getLocationAccessToken({
			companyId: fake.Company, locationId: 'unknown1unknown1unkn',
		}), { statusCode: 400 });
		const renewed = await renew(client, token.refresh_token, UserType.Company);
		check.equal(renewed.userType, 'Company');
		check.equal(renewed.companyId, fake.Company);
	});
};
