// The engine's HTTP routes.

import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import Synchronization

extension Engine {
  func makeRouter() -> Router<BasicRequestContext> {
    let router = Router()
    router.middlewares.add(ErrorMiddleware(maxBodyBytes: options.limits.maxBodyBytes))
    router.middlewares.add(HangMiddleware(engine: self))
    router.middlewares.add(KeyMiddleware(key: key))
    router.get("health") { _, _ in self.health }
    router.get("metrics") { _, _ in
      Response(
        status: .ok, headers: [.contentType: "text/plain; version=0.0.4; charset=utf-8"],
        body: .init(byteBuffer: ByteBuffer(string: self.metricsText)))
    }
    router.get("v1/models") { _, _ in jsonResponse(self.modelList) }
    router.get("v1/models/**") { request, _ in try self.model(at: request.uri.path) }
    router.post("v1/chat/completions") { request, _ in
      let body: ChatRequest = try await self.decode(request, task: .chat)
      try self.check(model: body.model)
      try body.validate()
      return try await self.answer(body.generation, format: ChatFormat())
    }
    router.post("v1/completions") { request, _ in
      let body: CompletionRequest = try await self.decode(request, task: .completion)
      try self.check(model: body.model)
      try body.validate()
      return try await self.answer(body.generation, format: CompletionFormat())
    }
    router.post("v1/embeddings") { request, _ in
      let body: EmbeddingRequest = try await self.decode(request, task: .embedding)
      try self.check(model: body.model)
      return try await self.answer(body)
    }
    return router
  }

  private var health: Response {
    switch phase {
    case .ready: jsonResponse(["status": "ok"])
    case .loading, .hung: jsonResponse(["status": "loading"], status: .serviceUnavailable)
    }
  }

  private func decode<Body: Decodable>(_ request: Request, task: EngineTask) async throws -> Body {
    let bytes = try await request.body.collect(upTo: options.limits.maxBodyBytes)
    guard options.serving.tasks.contains(task) else {
      throw APIError.badRequest(
        "This model does not do '\(task.rawValue)'.", code: "task_not_supported")
    }
    do {
      return try decodeJSON(Body.self, from: Data(bytes.readableBytesView))
    } catch let error as DecodingError {
      throw APIError(decoding: error)
    }
  }

  private func check(model: String) throws(APIError) {
    guard options.serving.modelNames.contains(model) else { throw .unknownModel(model) }
  }

  private func answer(_ body: EmbeddingRequest) async throws -> Response {
    try body.validate(
      dimensions: embedder.dimensions, contextLength: options.limits.contextLength)
    let place = try await admit()
    defer { place.leave() }
    try await Pace(options.pace).wait(for: 0)
    let tokens = body.input.texts.reduce(0) { $0 + Tokens.count($1) }
    let items = body.input.texts.enumerated().map { index, text in
      let numbers = embedder.embed(text, dimensions: body.dimensions ?? embedder.dimensions)
      return EmbeddingResponse.Item(
        index: index, embedding: .init(numbers, encoding: body.encodingFormat ?? .float))
    }
    counters.withLock { counters in
      counters.promptTokens += tokens
      counters.embeddings += items.count
    }
    return jsonResponse(
      EmbeddingResponse(
        data: items, model: body.model, usage: .init(promptTokens: tokens, totalTokens: tokens)))
  }
}

/// GET /v1/models
private struct ModelList: Encodable {
  struct Model: Encodable {
    var id: String
    var object = "model"
    var created: Int64
    var ownedBy = "wharf-engine-sim"
    var maxModelLen: Int
  }
  var object = "list"
  var data: [Model]
}

extension Engine {
  private var modelList: ModelList {
    ModelList(
      data: options.serving.modelNames.map {
        .init(id: $0, created: startedAtSeconds, maxModelLen: options.limits.contextLength)
      })
  }

  /// Names hold slashes, plain or encoded: the name is all of the path behind `/v1/models/`.
  private func model(at path: String) throws -> Response {
    let encoded = path.dropFirst("/v1/models/".count)
    let name = encoded.removingPercentEncoding ?? String(encoded)
    guard let model = modelList.data.first(where: { $0.id == name }) else {
      throw APIError.unknownModel(name)
    }
    return jsonResponse(model)
  }
}
