// What every request passes on its way in and out.

import HTTPTypes
import Hummingbird

/// Gives every failure the shape that OpenAI's clients know.
struct ErrorMiddleware: RouterMiddleware {
  typealias Context = BasicRequestContext
  let maxBodyBytes: Int

  func handle(
    _ request: Request, context: Context, next: (Request, Context) async throws -> Response
  ) async throws -> Response {
    do {
      return try await next(request, context)
    } catch {
      return APIError(describing: error, maxBodyBytes: maxBodyBytes).response
    }
  }
}

/// A hung engine accepts everything and answers nothing, whether it is alive included.
struct HangMiddleware: RouterMiddleware {
  typealias Context = BasicRequestContext
  let engine: Engine

  func handle(
    _ request: Request, context: Context, next: (Request, Context) async throws -> Response
  ) async throws -> Response {
    if engine.phase == .hung { try await engine.answerNever() }
    return try await next(request, context)
  }
}

/// Health is open to all, so that it can be probed; the rest answers only to the key.
struct KeyMiddleware: RouterMiddleware {
  typealias Context = BasicRequestContext
  let key: String?

  func handle(
    _ request: Request, context: Context, next: (Request, Context) async throws -> Response
  ) async throws -> Response {
    guard let key, request.uri.path != "/health" else { return try await next(request, context) }
    let given = request.headers[.authorization] ?? ""
    guard isEqual("Bearer \(key)", given) else { throw APIError.unauthorized }
    return try await next(request, context)
  }

  /// Takes as long for a wrong key as for the right one.
  private func isEqual(_ expected: String, _ given: String) -> Bool {
    let expected = Array(expected.utf8)
    let given = Array(given.utf8)
    guard expected.count == given.count else { return false }
    return zip(expected, given).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
  }
}
