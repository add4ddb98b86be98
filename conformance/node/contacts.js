// The 32 operations of contacts.
'use strict';

const { test } = require('node:test');
const { check } = require('./fake');

module.exports = (fake) => {
	let client;
	let contactId;
	const search = (body) => client.contacts.searchContactsAdvanced({
		locationId: fake.Location, pageLimit: 20, ...body,
	});

	test('create, read and update a contact', async () => {
		client = fake.client();
		const created = await client.contacts.createContact({
			locationId: fake.Location, firstName: 'Grace', lastName: 'Hopper', email: 'grace@example.com',
			phone: '+1 202-555-0101', gender: 'female', companyName: 'Navy & Co <ltd>', tags: ['VIP', 'navy'],
			customFields: [{ id: fake.TextField, field_value: 'Amazing' }, { id: fake.NumberField, field_value: 39 }],
			dndSettings: { Email: { status: 'active', message: 'asked' } },
		});
		contactId = created.contact.id;
		check.match(contactId, /^[A-Za-z0-9]{20,24}$/);
		check.equal(created.contact.email, 'grace@example.com');
		check.equal(created.contact.phone, '+12025550101');
		check.deepEqual(created.contact.tags, ['vip', 'navy']);

		const { contact } = await client.contacts.getContact({ contactId });
		check.equal(contact.id, contactId);
		check.equal(contact.locationId, fake.Location);
		check.equal(contact.firstName, 'Grace');
		check.equal(contact.lastName, 'Hopper');
		check.equal(contact.companyName, 'Navy & Co <ltd>');
		check.equal(contact.gender, 'female');
		check.deepEqual(contact.tags, ['vip', 'navy']);
		check.equal(contact.dndSettings.Email.status, 'active');
		check.equal(contact.customFields.find((f) => f.id === fake.TextField).value, 'Amazing');
		check.equal(contact.customFields.find((f) => f.id === fake.NumberField).value, 39);
		check.match(contact.dateAdded, /^\d{4}-\d\d-\d\dT/);

		const updated = await client.contacts.updateContact({ contactId }, {
			city: 'Arlington', tags: ['navy', 'cobol'], customFields: [{ id: fake.TextField, value: 'Grandma' }],
		});
		check.equal(updated.succeded, true);
		check.equal(updated.contact.city, 'Arlington');
		const { contact: after } = await client.contacts.getContact({ contactId });
		check.equal(after.city, 'Arlington');
		check.equal(after.firstName, 'Grace');
		check.deepEqual(after.tags, ['navy', 'cobol'], 'an update replaces the tags');
		check.equal(after.customFields.find((f) => f.id === fake.TextField).value, 'Grandma');
		await client.contacts.updateContact({ contactId }, {
			customFields: [{ id: fake.TextField, fieldValue: 'Amazing' }],
		});
		const { contact: again } = await client.contacts.getContact({ contactId });
		check.equal(again.customFields.find((f) => f.id === fake.TextField).value, 'Amazing');
	});

	test('upsert and find duplicates', async () => {
		const found = await client.contacts.upsertContact({
			locationId: fake.Location, email: 'grace@example.com', city: 'New York', gender: 'other',
		});
		check.equal(found.new, false);
		check.equal(found.contact.id, contactId);
		check.equal(found.contact.city, 'New York');
		check.match(found.traceId, /./);
		check.equal((await client.contacts.getContact({ contactId })).contact.gender, 'female', 'the gender is dropped');
		const made = await client.contacts.upsertContact({
			locationId: fake.Location, phone: '+12025550102', firstName: 'Alan', gender: 'male',
		});
		check.equal(made.new, true);
		check.notEqual(made.contact.id, contactId);
		check.equal((await client.contacts.getContact({ contactId: made.contact.id })).contact.gender, 'male');

		const byNumber = await client.contacts.getDuplicateContact({ locationId: fake.Location, number: '+12025550102' });
		check.equal(byNumber.contact.id, made.contact.id);
		const byEmail = await client.contacts.getDuplicateContact({
			locationId: fake.Location, email: 'grace@example.com',
		});
		check.equal(byEmail.contact.id, contactId);
		const none = await client.contacts.getDuplicateContact({
			locationId: fake.Location, email: 'nobody@example.com',
		});
		check.equal(none.contact, null);
		const deleted = await client.contacts.deleteContact({ contactId: made.contact.id });
		check.equal(deleted.succeded, true);
		await check.rejects(client.contacts.getContact({ contactId: made.contact.id }), { statusCode: 400 });
	});

	test('list and search', async () => {
		for (let i = 0; i < 5; i++) {
			await client.contacts.createContact({
				locationId: fake.Location, firstName: `Number ${i}`, email: `n${i}@example.com`, tags: ['numbered'],
			});
		}
		const seen = [];
		let page = await client.contacts.getContacts({ locationId: fake.Location, limit: 3 });
		check.equal(page.meta.total, 7);
		while (page.contacts.length > 0) {
			seen.push(...page.contacts.map((c) => c.id));
			if (!page.meta.startAfterId) break;
			const { startAfterId, startAfter } = page.meta;
			page = await client.contacts.getContacts({ locationId: fake.Location, limit: 3, startAfterId, startAfter });
		}
		check.equal(new Set(seen).size, 7);
		check.equal(seen.length, 7);
		const queried = await client.contacts.getContacts({ locationId: fake.Location, query: 'hopper' });
		check.deepEqual(queried.contacts.map((c) => c.id), [contactId]);

		const tagged = await search({ filters: [{ field: 'tags', operator: 'contains', value: ['numbered'] }] });
		check.equal(tagged.total, 5);
		check.equal(tagged.contacts.length, 5);
		const upper = await search({ filters: [{ field: 'tags', operator: 'contains', value: ['NUMBERED'] }] });
		check.equal(upper.total, 0);
		const blocked = await search({
			filters: [{ field: 'dndSettings.Email.status', operator: 'eq', value: 'active' }],
		});
		check.deepEqual(blocked.contacts.map((c) => c.id), [contactId]);
		const found = [];
		for (let searchAfter; ;) {
			const { contacts } = await search({
				pageLimit: 2, searchAfter, sort: [{ field: 'dateAdded', direction: 'asc' }],
			});
			if (contacts.length === 0) break;
			found.push(...contacts.map((c) => c.id));
			searchAfter = contacts.at(-1).searchAfter;
		}
		check.deepEqual(found.sort(), seen.sort());
		const second = await search({ pageLimit: 4, page: 2 });
		check.equal(second.contacts.length, 3);
	});

	test('tasks', async () => {
		const made = await client.contacts.createTask({ contactId }, {
			title: 'Call', body: 'About COBOL', dueDate: '2030-05-06T12:00:00Z', completed: false,
		});
		const taskId = made.task.id;
		check.equal(made.task.title, 'Call');
		check.equal(made.task.contactId, contactId);
		check.equal(made.task.completed, false);
		const changed = await client.contacts.updateTask({ contactId, taskId }, { title: 'Call again' });
		check.equal(changed.task.title, 'Call again');
		check.equal(changed.task.body, 'About COBOL');
		const completed = await client.contacts.updateTaskCompleted({ contactId, taskId }, { completed: true });
		check.equal(completed.task.completed, true);
		const { task } = await client.contacts.getTask({ contactId, taskId });
		check.equal(task.title, 'Call again');
		check.equal(task.completed, true);
		check.equal(Date.parse(task.dueDate), Date.parse('2030-05-06T12:00:00Z'));
		const { tasks } = await client.contacts.getAllTasks({ contactId });
		check.deepEqual(tasks.map((t) => t.id), [taskId]);
		check.equal((await client.contacts.deleteTask({ contactId, taskId })).succeded, true);
		check.deepEqual((await client.contacts.getAllTasks({ contactId })).tasks, []);
	});

	test('notes', async () => {
		const { note: made } = await client.contacts.createNote({ contactId }, { body: 'Likes <ships> & bugs' });
		check.equal(made.body, 'Likes <ships> & bugs');
		check.equal(made.contactId, contactId);
		const { note: changed } = await client.contacts.updateNote({ contactId, id: made.id }, {
			body: 'Likes bugs', title: 'Hobby', pinned: true,
		});
		check.equal(changed.body, 'Likes bugs');
		const { note } = await client.contacts.getNote({ contactId, id: made.id });
		check.equal(note.id, made.id);
		check.equal(note.body, 'Likes bugs');
		check.equal(note.title, 'Hobby');
		check.equal(note.pinned, true);
		const { notes } = await client.contacts.getAllNotes({ contactId });
		check.deepEqual(notes.map((n) => n.id), [made.id]);
		check.equal((await client.contacts.deleteNote({ contactId, id: made.id })).succeded, true);
		check.deepEqual((await client.contacts.getAllNotes({ contactId })).notes, []);
	});

	test('appointments of a contact', async () => {
		const { events } = await client.contacts.getAppointmentsForContact({ contactId: fake.Contact });
		check.deepEqual(events.map((e) => e.id), [fake.Appointment]);
		check.equal(events[0].title, 'First talk');
		check.equal(events[0].startTime, '2030-05-06 10:00:00', 'local to the location, without a zone');
		check.equal(events[0].contactId, fake.Contact);
		check.deepEqual((await client.contacts.getAppointmentsForContact({ contactId })).events, []);
	});

	test('tags', async () => {
		const added = await client.contacts.addTags({ contactId }, { tags: ['Math', 'navy'] });
		check.deepEqual(added.tags, ['navy', 'cobol', 'math']);
		const removed = await client.contacts.removeTags({ contactId }, { tags: ['cobol'] });
		check.deepEqual(removed.tags, ['navy', 'math']);
		const bulk = await client.contacts.createAssociation({ type: 'add' }, {
			locationId: fake.Location, contacts: [contactId, fake.Contact], tags: ['pioneer'],
		});
		check.equal(bulk.succeded, true);
		check.equal(bulk.errorCount, 0);
		check.deepEqual((await client.contacts.getContact({ contactId })).contact.tags, ['navy', 'math', 'pioneer']);
		check.deepEqual((await client.contacts.getContact({ contactId: fake.Contact })).contact.tags, ['pioneer']);
		await client.contacts.createAssociation({ type: 'remove' }, {
			locationId: fake.Location, contacts: [fake.Contact], tags: ['pioneer'],
		});
		check.deepEqual((await client.contacts.getContact({ contactId: fake.Contact })).contact.tags ?? [], []);
	});

	test('followers', async () => {
		const user = 'user1user1user1user1';
		const added = await client.contacts.addFollowersContact({ contactId }, { followers: [user] });
		check.deepEqual(added.followers, [user]);
		check.deepEqual(added.followersAdded, [user]);
		const removed = await client.contacts.removeFollowersContact({ contactId }, { followers: [user] });
		check.deepEqual(removed.followers, []);
		check.deepEqual(removed.followersRemoved, [user]);
	});

	test('businesses', async () => {
		const businessId = 'biz1biz1biz1biz1biz1';
		const ids = [contactId, fake.Contact];
		const set = await client.contacts.addRemoveContactFromBusiness({ locationId: fake.Location, ids, businessId });
		check.equal(set.success, true);
		check.deepEqual([...set.ids].sort(), [...ids].sort());
		const members = () => client.contacts.getContactsByBusinessId({
			businessId, locationId: fake.Location, limit: '10', skip: '0',
		});
		const listed = await members();
		check.deepEqual(listed.contacts.map((c) => c.id).sort(), [...ids].sort());
		check.equal(listed.count ?? listed.total, 2);
		await client.contacts.addRemoveContactFromBusiness({ locationId: fake.Location, ids, businessId: null });
		check.deepEqual((await members()).contacts, []);
	});

	test('campaigns and workflows', async () => {
		const campaignId = 'campaign1campaign1ca';
		const workflowId = '3fa85f64-5717-4562-b3fc-2c963f66afa6';
		for (const answer of [
			await client.contacts.addContactToCampaign({ contactId, campaignId }, {}),
			await client.contacts.removeContactFromCampaign({ contactId, campaignId }),
			await client.contacts.removeContactFromEveryCampaign({ contactId }),
			await client.contacts.addContactToWorkflow({ contactId, workflowId }, {
				eventStartTime: '2030-05-06T12:00:00+01:00',
			}),
			await client.contacts.deleteContactFromWorkflow({ contactId, workflowId }, {}),
		]) check.equal(answer.succeded, true);
	});
};
