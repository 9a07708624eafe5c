import { expect, it } from "vitest";
import { createEncodingCache } from "../../../src/graphql/encoding-cache.ts";
import { createEntryMaker } from "../../harness/entries.ts";

it("keeps the newest encodings within its bytes, over all groups", () => {
  const cache = createEncodingCache(20 * 300);
  const [one, other] = [{}, {}];
  const entries = createEntryMaker().run(30);
  for (const entry of entries) {
    cache.add(one, entry, Buffer.alloc(50));
    cache.add(other, entry, Buffer.alloc(50));
  }
  const held = entries.filter((entry) => cache.get(one, entry) !== undefined && cache.get(other, entry) !== undefined);
  expect(held).toEqual(entries.slice(-10));
  expect(cache.get(one, entries[19]!)).toBeUndefined();
});

it("tells an entry from another one at the same number", () => {
  const cache = createEncodingCache();
  const group = {};
  cache.add(group, createEntryMaker().next(), Buffer.from("old"));
  expect(cache.get(group, createEntryMaker().next())).toBeUndefined();
});

it("forgets a group that has no subscribers left, and keeps its bound whoever comes and goes", () => {
  const cache = createEncodingCache(20 * 300);
  const [stays, entry] = [{}, createEntryMaker().next()];
  cache.add(stays, entry, Buffer.alloc(50));
  for (let count = 0; count < 5_000; count += 1) {
    const group = {};
    for (const each of createEntryMaker().run(3)) cache.add(group, each, Buffer.alloc(50));
    cache.drop(group);
    expect(cache.get(group, entry)).toBeUndefined();
  }
  expect(cache.get(stays, entry)).toHaveLength(50);
});

it("forgets what it has of erased entries, in every group", () => {
  const cache = createEncodingCache();
  const groups = [{}, {}];
  const entries = createEntryMaker().run(4);
  for (const group of groups) for (const entry of entries) cache.add(group, entry, Buffer.alloc(50));
  cache.erase([entries[1]!, entries[2]!]);
  for (const group of groups) {
    const held = entries.filter((entry) => cache.get(group, entry) !== undefined);
    expect(held.map(({ number }) => number)).toEqual([1, 4]);
  }
});
