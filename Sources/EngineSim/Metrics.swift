// GET /metrics: Prometheus text under the names that vLLM uses, so that what reads those reads these.

import Synchronization

struct Counters {
  var promptTokens = 0
  var generationTokens = 0
  var finished: [Reply.FinishReason: Int] = [:]
  var embeddings = 0
  var refused = 0
  /// Begun, and left by their client before the end.
  var abandoned = 0
}

extension Engine {
  var metricsText: String {
    let load = admission.load
    let counters = counters.withLock { $0 }
    let model = options.serving.modelNames[0]
    var text = MetricsText(model: model)
    text.add(
      "vllm:num_requests_running", "gauge", "Requests being answered.", Double(load.running))
    text.add("vllm:num_requests_waiting", "gauge", "Requests in line.", Double(load.waiting))
    text.add(
      "vllm:kv_cache_usage_perc", "gauge", "Share of the places taken, from 0 to 1.",
      Double(load.running) / Double(options.limits.maxConcurrent))
    text.add(
      "vllm:prompt_tokens_total", "counter", "Tokens read.", Double(counters.promptTokens))
    text.add(
      "vllm:generation_tokens_total", "counter", "Tokens written.",
      Double(counters.generationTokens))
    text.begin("vllm:request_success_total", "counter", "Requests answered, by how they ended.")
    for reason in Reply.FinishReason.allCases {
      text.sample(
        "vllm:request_success_total", Double(counters.finished[reason] ?? 0),
        labels: "finished_reason=\"\(reason.rawValue)\"")
    }
    text.add(
      "wharf_engine_sim:embeddings_total", "counter", "Texts embedded.",
      Double(counters.embeddings))
    text.add(
      "wharf_engine_sim:requests_refused_total", "counter", "Refused for overload.",
      Double(counters.refused))
    text.add(
      "wharf_engine_sim:requests_abandoned_total", "counter", "Left by their client.",
      Double(counters.abandoned))
    return text.text
  }
}

private struct MetricsText {
  let model: String
  var text = ""

  init(model: String) {
    self.model =
      model.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
  }

  mutating func add(_ name: String, _ type: String, _ help: String, _ value: Double) {
    begin(name, type, help)
    sample(name, value)
  }

  mutating func begin(_ name: String, _ type: String, _ help: String) {
    text += "# HELP \(name) \(help)\n# TYPE \(name) \(type)\n"
  }

  mutating func sample(_ name: String, _ value: Double, labels: String? = nil) {
    let extra = labels.map { ",\($0)" } ?? ""
    text += "\(name){model_name=\"\(model)\"\(extra)} \(value)\n"
  }
}
