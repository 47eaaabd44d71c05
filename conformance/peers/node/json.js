/** The JSON view of values (conformance/README.md): what JSON has no word for is an object with one key. */
import { ExtData, decodeTimestampToTimeSpec, encodeTimeSpecToTimestamp } from '@msgpack/msgpack';
import { Float } from './wire.js';

const bytes = (hex) => new Uint8Array(Buffer.from(hex, 'hex'));
const hex = (data) => Buffer.from(data).toString('hex');
const asFloat = (number) => (Number.isInteger(number) ? new Float(number) : number);
const TAGS = {
  $bin: bytes,
  $ext: ([type, data]) => new ExtData(type, bytes(data)),
  $timestamp: ([sec, nsec]) => new ExtData(-1, encodeTimeSpecToTimestamp({ sec, nsec })),
  $float: (text) => asFloat(Number(text.replace('inf', 'Infinity'))),
  $int: BigInt,
  $map: (pairs) => new Map(pairs.map((pair) => pair.map(fromJson))),
};

export function fromJson(json) {
  if (Array.isArray(json)) return json.map(fromJson);
  if (Number.isInteger(json) && !Number.isSafeInteger(json)) return BigInt(json);
  if (json === null || typeof json !== 'object') return json;
  const [[key, value] = [], ...others] = Object.entries(json);
  if (!others.length && Object.hasOwn(TAGS, key)) return TAGS[key](value);
  return Object.fromEntries(Object.entries(json).map(([name, item]) => [name, fromJson(item)]));
}

export function toJson(value) {
  if (typeof value === 'bigint') return { $int: String(value) };
  if (value instanceof Float) return { $float: Object.is(value.valueOf(), -0) ? '-0' : String(value) };
  if (Number.isNaN(value)) return { $float: 'nan' };
  if (Math.abs(value) === Infinity) return { $float: value < 0 ? '-inf' : 'inf' };
  if (value === null || typeof value !== 'object') return value ?? null;
  if (value instanceof Uint8Array) return { $bin: hex(value) };
  if (Array.isArray(value)) return value.map(toJson);
  if (value.type === -1) return { $timestamp: Object.values(decodeTimestampToTimeSpec(value.data)) };
  if (value instanceof ExtData) return { $ext: [value.type, hex(value.data)] };
  const pairs = [...(value instanceof Map ? value : Object.entries(value))].map((pair) => pair.map(toJson));
  const plain = pairs.every(([key]) => typeof key === 'string' && !key.startsWith('$'));
  return plain ? Object.fromEntries(pairs) : { $map: pairs };
}
