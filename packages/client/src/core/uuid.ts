/**
 * UUIDv7: ids that sort by the time they were made, which keeps the server's indexes warm. Within one millisecond they
 * still ascend. Never used for ordering mutations: that is what `seq` is for.
 */

let lastTime = 0;
let counter = 0;

/** A new id, such as `0198c1de-7a3b-7000-8a4c-0242ac120002`. */
export function newId(now: number = Date.now()): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  // The clock may stand still or step back; the 12-bit counter then keeps ids ascending, and overflows into the time.
  if (now > lastTime) {
    lastTime = now;
    counter = ((bytes[6]! & 7) << 8) | bytes[7]!;
  } else if (++counter > 0xfff) {
    lastTime++;
    counter = 0;
  }
  for (let i = 0; i < 6; i++) bytes[i] = Math.floor(lastTime / 2 ** (8 * (5 - i))) & 0xff;
  bytes[6] = 0x70 | (counter >> 8);
  bytes[7] = counter & 0xff;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}
