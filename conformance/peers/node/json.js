/** The JSON view of values that the cases, the vectors and the driver protocol share: what JSON has no word for is an object with one key. */
import { ExtData, decodeTimestampToTimeSpec, encodeTimeSpecToTimestamp } from '@msgpack/msgpack';
import { Float } from './msgpack.js';

const TAGS = {
  $bin: (hex) => new Uint8Array(Buffer.from(hex, 'hex')),
  $ext: ([type, hex]) => new ExtData(type, new Uint8Array(Buffer.from(hex, 'hex'))),
  $timestamp: ([sec, nsec]) => new ExtData(-1, encodeTimeSpecToTimestamp({ sec, nsec })),
  $float: (text) => asFloat(Number(text.replace('inf', 'Infinity'))),
  $int: (text) => BigInt(text),
  $map: (pairs) => new Map(pairs.map((pair) => pair.map(fromJson))),
};
const asFloat = (number) => (Number.isInteger(number) ? new Float(number) : number);

/** @throws {TypeError} on a tag that is not known */
export function fromJson(json) {
  if (Array.isArray(json)) return json.map(fromJson);
  if (Number.isInteger(json) && !Number.isSafeInteger(json)) return BigInt(json);
  if (json === null || typeof json !== 'object') return json;
  const [key, ...others] = Object.keys(json);
  if (key?.startsWith('$') && !others.length) {
    if (!Object.hasOwn(TAGS, key)) throw new TypeError(`${key} has no meaning here`);
    return TAGS[key](json[key]);
  }
  return Object.fromEntries(Object.entries(json).map(([name, value]) => [name, fromJson(value)]));
}

export function toJson(value) {
  const hex = (bytes) => Buffer.from(bytes).toString('hex');
  if (typeof value === 'bigint') return Math.abs(Number(value)) === 2 ** 53 && BigInt(Number(value)) === value ? Number(value) : { $int: String(value) };
  if (typeof value === 'number' && !Number.isFinite(value)) return { $float: String(value).replace('Infinity', 'inf').toLowerCase() };
  if (value === null || typeof value !== 'object') return value ?? null;
  if (value instanceof Float) return { $float: floatText(value.valueOf()) };
  if (value instanceof Uint8Array) return { $bin: hex(value) };
  if (value instanceof ExtData) return value.type === -1 ? { $timestamp: Object.values(decodeTimestampToTimeSpec(value.data)) } : { $ext: [value.type, hex(value.data)] };
  if (Array.isArray(value)) return value.map(toJson);
  const pairs = value instanceof Map ? [...value] : Object.entries(value);
  if (pairs.some(([key]) => typeof key !== 'string' || key.startsWith('$'))) return { $map: pairs.map((pair) => pair.map(toJson)) };
  return Object.fromEntries(pairs.map(([key, item]) => [key, toJson(item)]));
}

function floatText(number) {
  const text = Object.is(number, -0) ? '-0' : String(number);
  return text.includes('e') ? text : `${text}.0`;
}
