import { createRequire } from 'node:module';
import { type grpc, protobuf } from 'google-gax';

const require = createRequire(import.meta.url);
const root = protobuf.Root.fromJSON(require('@google-cloud/speech/build/protos/protos.json'));

const rpc = protobuf.Root.fromJSON({
  nested: {
    Status: {
      fields: {
        code: { type: 'int32', id: 1 },
        message: { type: 'string', id: 2 },
        details: { rule: 'repeated', type: 'Any', id: 3 },
      },
    },
    Any: { fields: { type_url: { type: 'string', id: 1 }, value: { type: 'bytes', id: 2 } } },
    RetryInfo: { fields: { retryDelay: { type: 'Duration', id: 1 } } },
    Duration: { fields: { seconds: { type: 'int64', id: 1 }, nanos: { type: 'int32', id: 2 } } },
  },
});

type Json = Record<string, unknown>;

const SPEECH = 'google.cloud.speech.v2';
const typeOf = (name: string) => root.lookupType(name);

/** Bytes of a message of the vendor's own protos. */
export const encode = (name: string, message: Json): Uint8Array => {
  const type = typeOf(name);
  return type.encode(type.fromObject(message)).finish();
};

/** A message inside another one that does not know its type. */
export const anyOf = (name: string, message: Json) => ({
  type_url: `type.googleapis.com/${name}`,
  value: encode(name, message),
});

/** One call of a service, as the server of grpc-js wants it described. */
const method = (path: string, request: string, response: string): grpc.MethodDefinition<Json, Json> => ({
  path,
  requestStream: false,
  responseStream: false,
  requestSerialize: (value) => Buffer.from(encode(request, value)),
  requestDeserialize: (bytes) =>
    typeOf(request).toObject(typeOf(request).decode(bytes), { longs: String, enums: String }),
  responseSerialize: (value) => Buffer.from(encode(response, value)),
  responseDeserialize: (bytes) => typeOf(response).decode(bytes) as unknown as Json,
});

const LONG = 'google.longrunning';

/** The calls the engine makes. */
export const speechService = {
  batchRecognize: method(
    `/${SPEECH}.Speech/BatchRecognize`,
    `${SPEECH}.BatchRecognizeRequest`,
    `${LONG}.Operation`,
  ),
};

export const operationsService = {
  getOperation: method(
    `/${LONG}.Operations/GetOperation`,
    `${LONG}.GetOperationRequest`,
    `${LONG}.Operation`,
  ),
  listOperations: method(
    `/${LONG}.Operations/ListOperations`,
    `${LONG}.ListOperationsRequest`,
    `${LONG}.ListOperationsResponse`,
  ),
  cancelOperation: method(
    `/${LONG}.Operations/CancelOperation`,
    `${LONG}.CancelOperationRequest`,
    'google.protobuf.Empty',
  ),
};

/** What a status carries to say when to come back, as `grpc-status-details-bin` has it. */
export function retryInfo(code: number, message: string, delayMs: number): Buffer {
  const delay = { seconds: Math.floor(delayMs / 1000), nanos: (delayMs % 1000) * 1e6 };
  const info = rpc.lookupType('RetryInfo');
  const status = rpc.lookupType('Status');
  const value = info.encode(info.fromObject({ retryDelay: delay })).finish();
  const details = [{ type_url: 'type.googleapis.com/google.rpc.RetryInfo', value }];
  return Buffer.from(status.encode(status.fromObject({ code, message, details })).finish());
}
