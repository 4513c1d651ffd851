/**
 * What the browser has beside a factory of databases, and Node has not.
 */
import { IDBKeyRange } from "fake-indexeddb";

Object.assign(globalThis, { IDBKeyRange });
