import { expect, it } from "vitest";
import { createLine } from "../../../src/hub/line.ts";

it("lets no more in than it may, and the others in the order in which they came", async () => {
  const line = createLine(2);
  const entered: string[] = [];
  const enter = async (name: string): Promise<void> => {
    await line.enter();
    entered.push(name);
  };
  const [, , third, fourth] = ["a", "b", "c", "d"].map(enter);
  await Promise.resolve();
  expect(entered).toEqual(["a", "b"]);
  line.leave();
  // Who comes now does not slip in before those who wait.
  const fifth = enter("e");
  await third;
  expect(entered).toEqual(["a", "b", "c"]);
  line.leave();
  line.leave();
  await Promise.all([fourth, fifth]);
  expect(entered).toEqual(["a", "b", "c", "d", "e"]);
  line.leave();
  line.leave();
  expect(line.enter()).toBeNull();
});
