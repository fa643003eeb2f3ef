// What the official JavaScript exporters send. Prints OTLP/JSON of the same spans by their own
// serializer: what is meant.
import { SpanKind, SpanStatusCode, TraceFlags, context, trace } from '@opentelemetry/api';
import { OTLPTraceExporter as Grpc } from '@opentelemetry/exporter-trace-otlp-grpc';
import { OTLPTraceExporter as Json } from '@opentelemetry/exporter-trace-otlp-http';
import { OTLPTraceExporter as Protobuf } from '@opentelemetry/exporter-trace-otlp-proto';
import { JsonTraceSerializer } from '@opentelemetry/otlp-transformer';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { InMemorySpanExporter, NodeTracerProvider, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-node';

const [protocol, compression, grpc, http] = process.argv.slice(2);
const exporter = protocol === 'grpc' ? new Grpc({ url: grpc, compression })
  : new (protocol === 'http/json' ? Json : Protobuf)({ url: `${http}/v1/traces`, compression });
const memory = new InMemorySpanExporter();
const provider = new NodeTracerProvider({
  resource: resourceFromAttributes({ 'service.name': 'js', 'process.pid': 7 }),
  spanProcessors: [new SimpleSpanProcessor(memory), new SimpleSpanProcessor(exporter)],
});
const tracer = provider.getTracer('scope', '1.2', { schemaUrl: 'https://here' });
const away = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', traceFlags: TraceFlags.SAMPLED, isRemote: true };
const root = tracer.startSpan('root', {
  kind: SpanKind.SERVER,
  attributes: { text: 'ä\n😀', whole: 2 ** 52, less: -1, real: 0.5, yes: true, no: false, texts: ['a', 'b'], numbers: [1, 2.5], nothing: [] },
  links: [{ context: away, attributes: { why: 'because' } }],
}, trace.setSpanContext(context.active(), away));
root.addEvent('happened', { a: 1 });
const failing = tracer.startSpan('failing', {}, trace.setSpan(context.active(), root));
failing.recordException(new Error('no'));
failing.setStatus({ code: SpanStatusCode.ERROR, message: 'no' });
failing.end();
root.end();
await provider.forceFlush();
const spans = memory.getFinishedSpans();
console.log(new TextDecoder().decode(JsonTraceSerializer.serializeRequest(spans)));
await provider.shutdown();
