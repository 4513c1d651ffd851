/**
 * UUIDv7: ids that sort by the time they were made, which keeps the server's indexes warm. Within one millisecond they
 * still ascend. Never used for ordering mutations: that is what `seq` is for.
 */

let lastTime = 0;
let counter = 0;

/** A new id, such as `0198c1de-7a3b-7000-8a4c-0242ac120002`. */
export function newId(now: number = Date.now()): string {
  const random = Array.from(crypto.getRandomValues(new Uint8Array(10)));
  // The clock may stand still or step back; the 12-bit counter then keeps ids ascending, and overflows into the time.
  if (now > lastTime) {
    lastTime = now;
    counter = random[0]!;
  } else if (++counter > 0xfff) {
    lastTime++;
    counter = 0;
  }
  const time = hex(lastTime, 12);
  const [variant = 0, ...rest] = random.slice(1);
  const tail = hex((variant & 0x3f) | 0x80, 2) + rest.map((byte) => hex(byte, 2)).join("");
  return `${time.slice(0, 8)}-${time.slice(8)}-7${hex(counter, 3)}-${tail.slice(0, 4)}-${tail.slice(4, 16)}`;
}

const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, "0");
