import fc from "fast-check";
import {
  buildSchema,
  type DocumentNode,
  type ExecutionResult,
  execute,
  type GraphQLFieldResolver,
  type GraphQLObjectType,
  type GraphQLScalarType,
  OverlappingFieldsCanBeMergedRule,
  parse,
  validate,
} from "graphql";
import { describe, expect, it } from "vitest";
import { type Scope, UNSCOPED } from "../../../src/access/scope.ts";
import type { Event } from "../../../src/event/event.ts";
import { EVENT_TYPES } from "../../../src/event/event-type.ts";
import { parseExactly } from "../../../src/event/exact-json.ts";
import type { LiveEntry } from "../../../src/event/live-entry.ts";
import { createDataWriters } from "../../../src/graphql/data-writer.ts";
import { createGroups, type Groups, type Selection } from "../../../src/graphql/group.ts";
import { schema } from "../../../src/graphql/schema.ts";
import { selectionOf } from "../../../src/graphql/selection.ts";
import { createTickMap } from "../../../src/graphql/tick-map.ts";
import { parseEvent } from "../../../src/mandrill/parse-event.ts";
import { createEntryMaker } from "../../harness/entries.ts";
import { PAYLOADS } from "../../harness/mandrill-fixtures.ts";
import { rawEvents } from "../../harness/mandrill-post.ts";
import { everyField } from "./field-selection.ts";
import { randomSubscriptions } from "./random-selections.ts";

/** Of two to five documents each. */
const SETS = 1_000;

/** Numbers beyond a double, names that mean something to JavaScript or JSON.stringify, and half a character. */
const ODD = parseExactly(
  '{"event":"click","_id":"\\ud83d","ts":1.5,"ip":"\\u2028","msg":{"metadata":{"id":12345678901234567890,' +
    '"__proto__":{"a":[]},"toJSON":"x","then":"y","2":-0,"1":1e400,"constructor":null},"tags":["\\"","\\u0000"]}}',
);

const raws = [...PAYLOADS.flatMap(([, events]) => events), ...rawEvents(30), ODD];
const entryMaker = createEntryMaker();
const ENTRIES: readonly LiveEntry[] = [
  ...raws.map((raw, i) => parsedEntry(parseEvent(raw as never, `event-${i}`, "main"))),
  ...EVENT_TYPES.map((type) => entryMaker.next({ type, tags: ["a", "b"] })),
];
const SCOPES: readonly Scope[] = [UNSCOPED, { raw: false, tags: ["a"] }];

function parsedEntry(event: Event): LiveEntry {
  const entry = entryMaker.next();
  return Object.create(entry, { event: { value: event }, cursor: { value: entry.cursor } }) as LiveEntry;
}

/** What nobody can promise of a random document; all else holds by its making. Every rule takes twice as long. */
function isMergeable(document: DocumentNode): boolean {
  return validate(schema, document, [OverlappingFieldsCanBeMergedRule]).length === 0;
}

interface Asked {
  readonly text: string;
  readonly variables?: Record<string, unknown>;
  readonly scope?: Scope;
}

/** What graphql-js makes of the document as it was asked. */
function executed({ text, variables = {}, scope = UNSCOPED }: Asked, entry: LiveEntry, of = schema) {
  const [document, contextValue] = [parse(text), { scope }];
  const result = execute({ schema: of, document, variableValues: variables, contextValue, rootValue: entry });
  const { errors, ...rest } = result as ExecutionResult;
  const told = errors === undefined ? rest : { errors, ...rest };
  return { text: JSON.stringify({ ...told, extensions: { cursor: entry.cursor } }), isPlain: errors === undefined };
}

function select({ text, variables = {}, scope = UNSCOPED }: Asked, of = schema): Selection {
  return selectionOf(of, parse(text), undefined, variables, { scope });
}

function createSilentGroups(of = schema): Groups {
  return createGroups({ schema: of, presentError: (error) => error as never });
}

/** What its group makes of it, where there is no other. */
function alone(selection: Selection, entry: LiveEntry, of = schema) {
  const group = createSilentGroups(of).enter(selection);
  return {
    isWritten: createDataWriters(of)(selection)(entry, false) !== null,
    encoded: String(group.encode([entry], "older")[0]),
    handed: JSON.stringify(group.resultOf(entry, "older")),
  };
}

/** What graphql-js makes of it, and what its group does. */
function both(asked: Asked, entry: LiveEntry, of = schema) {
  return { expected: executed(asked, entry, of).text, ...alone(select(asked, of), entry, of) };
}

describe("the text of a result", () => {
  it("is that of graphql-js, for whatever is selected of whatever event", () => {
    const valid = randomSubscriptions(schema).filter((text) => isMergeable(parse(text)));
    const isValid = (text: string): boolean => validate(schema, parse(text)).length === 0;
    fc.assert(fc.property(valid, isValid), { numRuns: 100 });
    const asked = fc.record({
      text: valid,
      variables: fc.record({ yes: fc.boolean(), no: fc.boolean(), odd: fc.constantFrom(true, false, null) }),
      scope: fc.constantFrom(...SCOPES),
    });
    let plain = 0;
    let failed = 0;
    fc.assert(
      fc.property(
        fc.array(asked, { minLength: 2, maxLength: 5 }),
        fc.array(fc.constantFrom(...ENTRIES), { minLength: 1, maxLength: 3 }),
        (all, entries) => {
          // In one tick, groups use what others have made.
          const groups = createSilentGroups();
          for (const each of all) {
            const selection = select(each);
            const expected = entries.map((entry) => executed(each, entry));
            const shared = groups.enter(selection).encode(entries, "live");
            expect(shared.map(String)).toEqual(expected.map(({ text }) => text));
            const [{ text, isPlain }, entry] = [expected[0]!, entries[0]!];
            expect(alone(selection, entry)).toEqual({ encoded: text, handed: text, isWritten: isPlain });
            if (isPlain) plain += 1;
            else failed += 1;
          }
        },
      ),
      { numRuns: SETS },
    );
    // A null for `$odd` is an error in whatever it stands at.
    expect(plain).toBeGreaterThan(1.5 * SETS);
    expect(failed).toBeGreaterThan(0);
  });

  it.each(EVENT_TYPES)("is that of graphql-js for every field of every %s", (type) => {
    const text = `subscription { eventReceived ${everyField(schema, schema.getType("Event") as never)} }`;
    const entries = ENTRIES.filter(({ event }) => event.type === type);
    expect(entries.length).toBeGreaterThan(0);
    for (const entry of entries) {
      for (const scope of SCOPES) {
        const { expected, encoded, handed, isWritten } = both({ text, scope }, entry);
        expect(encoded).toBe(expected);
        expect(handed).toBe(expected);
        expect(isWritten).toBe(true);
      }
    }
  });

  it("has every field that fragments add to one object, once", () => {
    const text = `subscription ($with: Boolean!) { ...All }
      fragment All on Subscription { mail: eventReceived { ...Some raw @include(if: $with) ...Some } }
      fragment Some on Event { __typename id message { tags } ... on ClickEvent { url message { tags subject } } id }`;
    const { expected, encoded } = both(
      { text, variables: { with: false } },
      createEntryMaker().next({ type: "click" }),
    );
    expect(encoded).toBe(expected);
    expect(JSON.parse(encoded).data.mail).toEqual({
      __typename: "ClickEvent",
      id: "event-1",
      message: { tags: [], subject: "Your order" },
      url: "https://example.com/",
    });
  });

  it("does not depend on the directives of a fragment that is there already", () => {
    const text = `subscription ($odd: Boolean = true) { eventReceived { ...Some ...Some @include(if: $odd) } }
      fragment Some on Event { id }`;
    const { expected, encoded, isWritten } = both({ text, variables: { odd: null } }, createEntryMaker().next());
    expect(encoded).toBe(expected);
    expect(isWritten).toBe(true);
  });

  it("is not shared between scopes, and not kept beyond the tick", async () => {
    const groups = createSilentGroups();
    const text = "subscription { eventReceived { raw } }";
    const entry = createEntryMaker().next();
    const raw = (scope: Scope) => JSON.parse(String(groups.enter(select({ text, scope })).encode([entry], "live")[0]));
    expect(raw({ raw: true }).data.eventReceived.raw).toMatchObject({ event: "send" });
    expect(raw({ raw: false }).data.eventReceived.raw).toBeNull();
    const valueAt = createTickMap(() => ({}));
    const value = valueAt("scope");
    expect(valueAt("scope")).toBe(value);
    await null;
    expect(valueAt("scope")).not.toBe(value);
  });
});

const OTHER = `
  type Query { a: Int }
  type Subscription { eventReceived: Event! }
  scalar Any
  interface Node { id: ID! }
  type Event implements Node { id: ID! note: String any: Any count: Int list: [Int!] node: Node with(n: Int = 2): Int own: Own }
  type Own { a: Int }`;

/** Asks for a field of `Event` that resolves so, and for another one. */
function asking(field: string, resolve: GraphQLFieldResolver<unknown, unknown> | undefined) {
  const other = buildSchema(OTHER);
  const fieldsOf = (name: string) => (other.getType(name) as GraphQLObjectType).getFields();
  fieldsOf("Subscription").eventReceived!.resolve = (entry) => entry;
  const name = /^\w+/.exec(field)?.[0] as string;
  if (resolve !== undefined) fieldsOf("Event")[name]!.resolve = resolve;
  const entry = Object.assign(createEntryMaker().next(), { id: 7, method: "no" });
  return { other, entry, run: () => both({ text: `subscription { eventReceived { id ${field} } }` }, entry, other) };
}

describe("graphql-js has the last word", () => {
  it.each<[string, string, GraphQLFieldResolver<unknown, unknown>]>([
    ["on what is thrown", "note", () => raise("odd")],
    ["on an error that is returned", "note", () => new Error("odd")],
    ["on an error among values", "list", () => [1, new Error("odd")]],
    ["on a null where there is to be none", "list", () => [1, null]],
    ["on a value that its type does not know", "count", () => "many"],
    ["on what is no list", "list", () => 5],
    ["on text for a list", "list", () => "12"],
    ["on what JSON has no text for", "any", () => () => 1],
    ["on an object of no known type", "node { id }", () => ({ __typename: "Nobody", id: 1 })],
  ])("%s", (_what, field, resolve) => {
    const { expected, encoded, handed, isWritten } = asking(field, resolve).run();
    expect(encoded).toBe(expected);
    expect(handed).toBe(expected);
    expect(isWritten).toBe(false);
  });

  it.each<[string, string, GraphQLFieldResolver<unknown, unknown> | undefined, unknown]>([
    ["on what asks for the execution", "note", (_source, _args, _context, { path }) => String(path.key), "note"],
    ["on methods", "note", undefined, "called"],
    ["on objects that are asked for their type", "own { a }", () => ({ a: 1 }), { a: 1 }],
    ["on objects whose type tells itself", "node { id }", () => ({ __typename: "Event", id: 1 }), { id: "1" }],
  ])("%s, and finds no fault", (_what, field, resolve, value) => {
    const { other, entry, run } = asking(field, resolve);
    (other.getType("Own") as GraphQLObjectType).isTypeOf = () => true;
    Object.assign(entry, { note: () => "called" });
    const { expected, encoded, isWritten } = run();
    expect(encoded).toBe(expected);
    expect(Object.values(JSON.parse(encoded).data.eventReceived)).toEqual(["7", value]);
    expect(isWritten).toBe(false);
  });

  it("on a promise", () => {
    const { other, entry } = asking("note", async () => "later");
    const selection = select({ text: "subscription { eventReceived { note } }" }, other);
    expect(createDataWriters(other)(selection)(entry, false)).toBeNull();
  });
});

describe("without graphql-js", () => {
  it.each<[string, string, GraphQLFieldResolver<unknown, unknown>]>([
    ["any iterable is a list", "list", () => new Set([1, 2])],
    ["an argument has its default", "with", (_source, { n }) => n],
    ["an argument has its value", "with(n: 5)", (_source, { n }) => n],
    ["a scalar may show an object", "any", () => ({ deep: [null, 1] })],
    ["what is absent is null", "note", () => undefined],
  ])("%s", (_what, field, resolve) => {
    const { expected, encoded, isWritten } = asking(field, resolve).run();
    expect(encoded).toBe(expected);
    expect(isWritten).toBe(true);
  });

  it("a scalar's own serialize is asked", () => {
    const { other, run } = asking("any", () => "x");
    (other.getType("Any") as GraphQLScalarType).serialize = (value) => ({ shown: value });
    const { expected, encoded } = run();
    expect(encoded).toBe(expected);
    expect(encoded).toContain('"any":{"shown":"x"}');
  });
});

function raise(message: string): never {
  throw new Error(message);
}
