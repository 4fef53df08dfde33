// POST /v1/embeddings: the bodies that come and go.

import Foundation

struct EmbeddingRequest: Decodable {
  /// OpenAI's Python client asks for base64 unless told otherwise.
  enum Encoding: String, Decodable { case float, base64 }

  var model: String
  var input: TextInput
  var encodingFormat: Encoding?
  var dimensions: Int?

  func validate(dimensions available: Int, contextLength: Int) throws(APIError) {
    guard (1...RequestLimits.maxInputs).contains(input.texts.count) else {
      throw .badRequest(
        "'input' has \(input.texts.count); it can have from 1 to \(RequestLimits.maxInputs).",
        param: "input", code: "invalid_value")
    }
    if let dimensions, !(1...available).contains(dimensions) {
      throw .badRequest(
        "'dimensions' is \(dimensions); it can be from 1 to \(available).", param: "dimensions",
        code: "invalid_value")
    }
    for text in input.texts {
      if text.isEmpty { throw .badRequest("'input' holds an empty text.", param: "input") }
      let tokens = Tokens.count(text)
      guard tokens <= contextLength else {
        throw .contextExceeded(limit: contextLength, prompt: tokens, reply: nil)
      }
    }
  }
}

struct EmbeddingResponse: Encodable {
  enum Vector: Encodable {
    case numbers([Double])
    /// 32-bit numbers, lowest byte first.
    case base64(String)

    init(_ numbers: [Double], encoding: EmbeddingRequest.Encoding) {
      switch encoding {
      case .float:
        self = .numbers(numbers)
      case .base64:
        let bytes = numbers.flatMap { number in
          withUnsafeBytes(of: Float(number).bitPattern.littleEndian, Array.init)
        }
        self = .base64(Data(bytes).base64EncodedString())
      }
    }

    func encode(to encoder: any Encoder) throws {
      var container = encoder.singleValueContainer()
      switch self {
      case .numbers(let numbers): try container.encode(numbers)
      case .base64(let text): try container.encode(text)
      }
    }
  }

  struct Item: Encodable {
    var object = "embedding"
    var index: Int
    var embedding: Vector
  }
  struct Usage: Encodable {
    var promptTokens: Int
    var totalTokens: Int
  }

  var object = "list"
  var data: [Item]
  var model: String
  var usage: Usage
}
