// How an agent knows that an answer is a wharfd's own, made for this very question: not that of a proxy
// which answers in our place, rewrites, or keeps answers for later. Both ends know the digest of the
// agent's credential, and nobody else needs to; the answer carries a keyed digest of itself with it.
//
// Somebody who can read the agent's requests knows the credential and can do all of this, so it is no stand-in for
// TLS. It costs two hashes an answer, and keeps whatever merely stands in between from stopping engines.

import Crypto
import Hosting

extension WharfHeader {
  /// On an agent's request: something that no earlier request had.
  package static let nonce = "Wharf-Nonce"
  /// On the answer: `AnswerProof.of` it.
  package static let proof = "Wharf-Proof"
}

package enum AnswerProof {
  /// Longer ones prove nothing more.
  package static let longestNonce = 64

  /// - Parameters:
  ///   - head: the header `Wharf-Head` of the answer; empty without one.
  ///   - credential: the digest of the credential that the request bore.
  package static func of(
    status: Int, head: String, body: [UInt8], nonce: String, credential: Hosting.Digest
  ) -> Hosting.Digest {
    var mac = HMAC<SHA256>(key: SymmetricKey(data: credential.bytes))
    mac.update(data: Array("answer to an agent, form 1\n\(nonce)\n\(status)\n\(head)\n".utf8))
    mac.update(data: body)
    return Hosting.Digest(bytes: Array(mac.finalize()))
  }
}

/// `410`: the node of the agent that asked was removed. With its proof it is the one word on which an
/// agent stops its engines and forgets who it is.
package struct NodeRemovedReply: JSONRecord, Equatable, Sendable {
  package var node: Stream
  /// Of the event that removed it.
  package var position: Position
  package var head: HeadWitness

  package init(node: Stream, position: Position, head: HeadWitness) {
    self.node = node
    self.position = position
    self.head = head
  }
}
