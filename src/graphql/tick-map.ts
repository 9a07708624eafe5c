/**
 * Values by key that are kept for the tick alone: an event is handed to all who want it in one step, and nothing that
 * was made of it is to outlive it, should it be erased.
 *
 * @param make what there is at first under a key
 */
export function createTickMap<Key, Value>(make: () => Value): (key: Key) => Value {
  let values: Map<Key, Value> | null = null;
  const forget = (): void => {
    values = null;
  };
  return (key) => {
    if (values === null) {
      values = new Map();
      queueMicrotask(forget);
    }
    let value = values.get(key);
    if (value === undefined) {
      value = make();
      values.set(key, value);
    }
    return value;
  };
}
