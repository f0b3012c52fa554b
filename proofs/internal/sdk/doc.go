// Package sdk is all that the proofs use of the delivery contract's API: options, asynchronous sends, what an error says.
package sdk
