/**
 * UUIDv7: ids that sort by the time they were made, which keeps the server's indexes warm. Within one millisecond they
 * still ascend. Never used for ordering mutations: that is what `seq` is for.
 */

/** Ids in one millisecond that ascend within it; further ones take the next millisecond's. */
const STEPS = 2 ** 11;

/** Milliseconds and step of the last id, as one number: safe as an integer until the year 2109. */
let last = 0;

/** A new id, such as `0198c1de-7a3b-7000-8a4c-0242ac120002`. */
export function newId(now: number = Date.now()): string {
  // The clock may stand still or step back; ids ascend all the same.
  last = Math.max(last + 1, now * STEPS);
  const time = hex(Math.floor(last / STEPS), 12);
  const random = Array.from(crypto.getRandomValues(new Uint8Array(8)), (byte) => hex(byte, 2)).join("");
  // The first of the random digits says the variant: 8, 9, a or b.
  const tail = hex((parseInt(random[0]!, 16) & 3) | 8, 1) + random.slice(1);
  return `${time.slice(0, 8)}-${time.slice(8)}-7${hex(last % STEPS, 3)}-${tail.slice(0, 4)}-${tail.slice(4)}`;
}

const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, "0");
