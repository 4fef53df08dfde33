// What the engine answers on each route.

import Foundation
import TestKit
import Testing

/// Each test starts engines of its own: one after another, so that a small machine is not flooded.
@Suite(.serialized, .turn, .bounded) struct `The engine's endpoints` {
  let folder = try! TestFolder()

  @Test func `A chat names the model and echoes the question`() async throws {
    let sim = try await Sim(in: folder)
    let answer = try await sim.chat("hello there")
    let json = try answer.json
    #expect(answer.status == 200)
    #expect(json["object"].string == "chat.completion")
    #expect(json["model"].string == "sim")
    #expect(try answer.content?.hasPrefix("sim heard: hello there |") == true)
    #expect(json["choices"][0]["message"]["role"].string == "assistant")
    #expect(json["choices"][0]["finish_reason"].string == "stop")
    let usage = json["usage"]
    #expect(usage["prompt_tokens"].int == 3)
    #expect(usage["completion_tokens"].int == 24)
    #expect(usage["total_tokens"].int == 27)
  }

  @Test func `The same question gets the same reply, another seed another one`() async throws {
    let sim = try await Sim(in: folder)
    let first = try await sim.chat("hello").content
    #expect(try await sim.chat("hello").content == first)
    #expect(try await sim.chat("hello", #","seed":7"#).content != first)
    let other = try await Sim(["--seed", "7"], in: folder)
    #expect(try await other.chat("hello").content != first)
  }

  @Test func `Choices, limits and stop words are obeyed`() async throws {
    let sim = try await Sim(in: folder)
    let several = try await sim.chat("hi", #","n":3"#).json
    let texts = several["choices"].items.map { $0["message"]["content"].string }
    #expect(Set(texts).count == 3)
    #expect(several["choices"].items.map { $0["index"].int } == [0, 1, 2])
    #expect(several["usage"]["completion_tokens"].int == 72)
    let short = try await sim.chat("hi", #","max_tokens":2"#).json
    #expect(short["choices"][0]["finish_reason"].string == "length")
    #expect(short["usage"]["completion_tokens"].int == 2)
    let long = try await sim.chat("hi", #","max_completion_tokens":100,"ignore_eos":true"#).json
    #expect(long["usage"]["completion_tokens"].int == 100)
    #expect(long["choices"][0]["finish_reason"].string == "length")
    let stopped = try await sim.chat("hi", #","stop":["nowhere"," |"]"#)
    #expect(try stopped.content == "sim heard: hi")
    #expect(try stopped.json["choices"][0]["finish_reason"].string == "stop")
  }

  @Test func `Content may come in parts or be null`() async throws {
    let sim = try await Sim(in: folder)
    let parts = #"[{"type":"text","text":"see"},{"type":"image_url","image_url":{"url":"x"}}]"#
    let answer = try await sim.post(
      "/v1/chat/completions",
      #"{"model":"sim","messages":[{"role":"assistant","content":null},{"role":"user","content":\#(parts)}]}"#
    )
    #expect(try answer.content?.hasPrefix("sim heard: see |") == true)
  }

  @Test func `A completion answers one prompt or several`() async throws {
    let sim = try await Sim(in: folder)
    let one = try await sim.post("/v1/completions", #"{"model":"sim","prompt":"a b"}"#).json
    #expect(one["object"].string == "text_completion")
    #expect(one["choices"][0]["text"].string?.hasPrefix("sim heard: a b |") == true)
    let many = try await sim.post(
      "/v1/completions", #"{"model":"sim","prompt":["x","y"],"n":2}"#
    ).json
    #expect(many["choices"].items.count == 4)
    #expect(many["choices"][2]["text"].string?.contains("heard: y") == true)
    let tokens = try await sim.post("/v1/completions", #"{"model":"sim","prompt":[1,2]}"#)
    #expect(tokens.status == 200)
  }

  @Test func `Embeddings are of unit length, the same each time, near for shared words`()
    async throws
  {
    let sim = try await Sim(["--embedding-dimensions", "64"], in: folder)
    let texts = #"["the cat sat","the cat slept","revenue rose"]"#
    let body = #"{"model":"sim","input":\#(texts)}"#
    let json = try await sim.post("/v1/embeddings", body).json
    let vectors = json["data"].items.map { $0["embedding"].numbers }
    #expect(vectors.map(\.count) == [64, 64, 64])
    for vector in vectors { #expect(abs(vector.reduce(0) { $0 + $1 * $1 } - 1) < 1e-9) }
    func nearness(_ a: Int, _ b: Int) -> Double {
      zip(vectors[a], vectors[b]).reduce(0) { $0 + $1.0 * $1.1 }
    }
    #expect(nearness(0, 1) > 0.4)
    #expect(abs(nearness(0, 2)) < 0.4)
    let again = try await sim.post("/v1/embeddings", body).json
    #expect(again["data"][1]["embedding"].numbers == vectors[1])
    #expect(json["usage"]["prompt_tokens"].int == 8)
    let one = try await sim.post("/v1/embeddings", #"{"model":"sim","input":"a","dimensions":8}"#)
    #expect(try one.json["data"][0]["embedding"].numbers.count == 8)
  }

  @Test func `Embeddings in base64 are the same numbers`() async throws {
    let sim = try await Sim(["--embedding-dimensions", "16"], in: folder)
    let plain = try await sim.post("/v1/embeddings", #"{"model":"sim","input":"a b"}"#).json
    let packed = try await sim.post(
      "/v1/embeddings", #"{"model":"sim","input":"a b","encoding_format":"base64"}"#
    ).json
    let text = try #require(packed["data"][0]["embedding"].string)
    let bytes = try #require(Data(base64Encoded: text))
    let numbers = bytes.withUnsafeBytes { raw in
      (0..<16).map { raw.loadUnaligned(fromByteOffset: $0 * 4, as: Float.self) }
    }
    #expect(bytes.count == 64)
    #expect(numbers == plain["data"][0]["embedding"].numbers.map(Float.init))
  }

  @Test func `Every served name is listed, found and answered to`() async throws {
    let sim = try await Sim(
      ["--served-model-name", "xai/grok-3", "--served-model-name", "grok"], in: folder)
    let list = try await sim.get("/v1/models").json
    #expect(list["data"].items.map { $0["id"].string } == ["xai/grok-3", "grok"])
    for path in ["xai/grok-3", "xai%2Fgrok-3"] {
      #expect(try await sim.get("/v1/models/\(path)").json["id"].string == "xai/grok-3")
    }
    #expect(try await sim.get("/v1/models/other").errorCode == "model_not_found")
    let body = #"{"model":"grok","messages":[{"role":"user","content":"x"}]}"#
    #expect(
      try await sim.post("/v1/chat/completions", body).content?.hasPrefix("grok heard") == true)
  }

  @Test func `Metrics count requests and tokens`() async throws {
    let sim = try await Sim(in: folder)
    _ = try await sim.chat("one two", #","max_tokens":2"#)
    let text = try await sim.get("/metrics").text
    #expect(text.contains("vllm:generation_tokens_total{model_name=\"sim\"} 2.0"))
    #expect(text.contains("vllm:prompt_tokens_total{model_name=\"sim\"} 3.0"))
    #expect(text.contains("vllm:num_requests_running{model_name=\"sim\"} 0.0"))
    #expect(text.contains("finished_reason=\"length\"} 1.0"))
  }

  @Test func `With a key, all but health wants it`() async throws {
    let key = "engine-key-1"
    let byEnvironment = try await Sim(environment: ["WHARF_ENGINE_KEY": key], in: folder)
    let byFlag = try await Sim(["--api-key", key], in: folder)
    for sim in [byEnvironment, byFlag] {
      #expect(try await sim.get("/health").status == 200)
      for path in ["/v1/models", "/metrics", "/nowhere"] {
        let refused = try await sim.get(path)
        #expect(refused.status == 401)
        #expect(try refused.errorCode == "invalid_api_key")
        #expect(try await sim.get(path, key: "engine-key-2").status == 401)
        #expect(try await sim.get(path, key: key).status != 401)
      }
      #expect(try await sim.chat("x").status == 401)
      #expect(try await sim.chat("x", key: key).status == 200)
    }
  }

  @Test func `A chat that does not fit is refused in OpenAI's shape`() async throws {
    let sim = try await Sim(in: folder)
    for (body, code) in Self.misfits {
      let answer = try await sim.post("/v1/chat/completions", body)
      let error = try answer.json["error"]
      #expect(answer.status == 400, "\(body)")
      #expect(error["code"].string == code, "\(body)")
      #expect(error["type"].string == "invalid_request_error")
      #expect(error["message"].string?.isEmpty == false)
      #expect(error.keys == ["message", "type", "param", "code"])
    }
    let typed = try await sim.chat("x", #","max_tokens":"few""#)
    #expect(try typed.json["error"]["param"].string == "max_tokens", "as the API spells it")
  }

  private static let misfits = [
    ("{", "invalid_json"), ("[]", "invalid_type"), ("{}", "missing_required_parameter"),
    (#"{"model":"sim"}"#, "missing_required_parameter"),
    (#"{"model":3,"messages":[]}"#, "invalid_type"),
    (#"{"model":"sim","messages":[]}"#, "invalid_value"),
    (#"{"model":"sim","messages":[{"role":"boss","content":"x"}]}"#, "invalid_value"),
    (#"{"model":"sim","messages":[{"role":"user","content":4}]}"#, "invalid_type"),
    (Sim.chatBody("x", #","n":0"#), "invalid_value"),
    (Sim.chatBody("x", #","n":"two""#), "invalid_type"),
    (Sim.chatBody("x", #","max_tokens":-1"#), "invalid_value"),
    (Sim.chatBody("x", #","temperature":9"#), "invalid_value"),
    (Sim.chatBody("x", #","stream":"yes""#), "invalid_type"),
    (Sim.chatBody("x", #","max_tokens":9000"#), "context_length_exceeded"),
  ]

  @Test func `Unknown models, routes, tasks and long bodies have their own answers`()
    async throws
  {
    let sim = try await Sim(
      ["--task", "chat", "--max-body-bytes", "200", "--context-length", "40"], in: folder)
    let unknown = try await sim.post(
      "/v1/chat/completions", #"{"model":"gpt","messages":[{"role":"user"}]}"#)
    #expect(unknown.status == 404)
    #expect(try unknown.errorCode == "model_not_found")
    #expect(try await sim.get("/v1/nothing").json["error"]["type"].string == "not_found_error")
    let embedding = try await sim.post("/v1/embeddings", #"{"model":"sim","input":"x"}"#)
    #expect(try embedding.errorCode == "task_not_supported")
    let long = try await sim.chat(String(repeating: "x", count: 300))
    #expect(long.status == 413)
    #expect(try long.errorCode == "body_too_large")
    let words = try await sim.chat(String(repeating: "a ", count: 50))
    #expect(words.status == 400)
    #expect(try words.errorCode == "context_length_exceeded")
  }
}
