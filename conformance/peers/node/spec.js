/** The specification as data: this peer holds no table of its own. */
import { readFileSync } from 'node:fs';

const load = (name) => JSON.parse(readFileSync(new URL(`../../../spec/v1/${name}.json`, import.meta.url), 'utf8'));
export const CALL = load('call');
export const CONNECTION = load('connection');
/** Our limits are the defaults. @type {Record<string, number>} */
export const LIMITS = Object.fromEntries(Object.entries(load('limits').limits).map(([name, limit]) => [name, limit.default]));
