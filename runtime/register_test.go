package runtime_test

import (
	"testing"

	"github.com/game-im/im-grpc-sdk/runtime"
)

func TestReceivedContentsAreCheckedUnlessAPackageSaysNo(t *testing.T) {
	t.Parallel()
	registration := runtime.Registration{Package: "im.v1"}

	if registration.With(nil).SkipValidation {
		t.Error("SkipValidation is set without the option")
	}
	changed := registration.With([]runtime.RegisterOption{runtime.SkipReceiveValidation()})
	if !changed.SkipValidation || changed.Package != "im.v1" {
		t.Errorf("With(SkipReceiveValidation()) = %+v", changed)
	}
	if registration.SkipValidation {
		t.Error("With changed the registration that it was called on")
	}
}
