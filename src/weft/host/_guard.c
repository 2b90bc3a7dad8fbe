/* The guard in C, for free-threaded builds: what guard.py has in Python.

   The lock is one of the interpreter's own mutexes, and its owner a kernel thread, known by the address of a
   variable of its own. The owner is stored by who holds the mutex alone, so whoever finds itself there is it. */

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdatomic.h>
#include <stddef.h>

#ifndef Py_GIL_DISABLED
#error "it stands for the interpreter's lock: there is one here"
#endif

#define REVISION 1 /* guard.py has the same */

static PyMutex mutex;
static _Atomic(void *) owner;
static _Thread_local char here;

static inline int
has(void)
{
    return atomic_load_explicit(&owner, memory_order_relaxed) == (void *)&here;
}

static inline void
take(void)
{
    PyMutex_Lock(&mutex);
    atomic_store_explicit(&owner, (void *)&here, memory_order_relaxed);
}

static inline void
let_go(void)
{
    atomic_store_explicit(&owner, NULL, memory_order_relaxed);
    PyMutex_Unlock(&mutex);
}

/* -- a function that is called with the guard, or without it ---------------------------------------------- */

typedef struct {
    PyObject_HEAD
    vectorcallfunc vectorcall;
    PyObject *function;
    PyObject *dict;
    PyObject *weak;
} Call;

static PyObject *
call_guarded(PyObject *self, PyObject *const *args, size_t count, PyObject *names)
{
    PyObject *function = ((Call *)self)->function;
    if (has()) {
        return PyObject_Vectorcall(function, args, count, names);
    }
    take();
    PyObject *result = PyObject_Vectorcall(function, args, count, names);
    let_go();
    return result;
}

static PyObject *
call_outside(PyObject *self, PyObject *const *args, size_t count, PyObject *names)
{
    PyObject *function = ((Call *)self)->function;
    if (!has()) {
        return PyObject_Vectorcall(function, args, count, names);
    }
    let_go();
    PyObject *result = PyObject_Vectorcall(function, args, count, names);
    take();
    return result;
}

static int
call_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(((Call *)self)->function);
    Py_VISIT(((Call *)self)->dict);
    return 0;
}

static int
call_clear(PyObject *self)
{
    Py_CLEAR(((Call *)self)->function);
    Py_CLEAR(((Call *)self)->dict);
    return 0;
}

static void
call_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    if (((Call *)self)->weak != NULL) {
        PyObject_ClearWeakRefs(self);
    }
    call_clear(self);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyObject *
call_get(PyObject *self, PyObject *object, PyObject *type)
{
    if (object == NULL || object == Py_None) {
        return Py_NewRef(self);
    }
    return PyMethod_New(self, object);
}

static PyObject *
call_repr(PyObject *self)
{
    return PyObject_Repr(((Call *)self)->function);
}

static PyMemberDef call_members[] = {
    {"__wrapped__", Py_T_OBJECT_EX, offsetof(Call, function), Py_READONLY, NULL},
    {"__dictoffset__", Py_T_PYSSIZET, offsetof(Call, dict), Py_READONLY, NULL},
    {"__weaklistoffset__", Py_T_PYSSIZET, offsetof(Call, weak), Py_READONLY, NULL},
    {"__vectorcalloffset__", Py_T_PYSSIZET, offsetof(Call, vectorcall), Py_READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyGetSetDef call_getset[] = {
    {"__dict__", PyObject_GenericGetDict, PyObject_GenericSetDict, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot call_slots[] = {
    {Py_tp_call, PyVectorcall_Call},
    {Py_tp_traverse, call_traverse},
    {Py_tp_clear, call_clear},
    {Py_tp_dealloc, call_dealloc},
    {Py_tp_descr_get, call_get},
    {Py_tp_repr, call_repr},
    {Py_tp_members, call_members},
    {Py_tp_getset, call_getset},
    {0, NULL},
};

static PyType_Spec call_spec = {
    .name = "weft.host._guard.Call",
    .basicsize = sizeof(Call),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL
             | Py_TPFLAGS_METHOD_DESCRIPTOR | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = call_slots,
};

static PyTypeObject *call_type;

/* What all kernel threads call all the time must not have its references counted by all of them. */
static void
keep_for_ever(PyObject *object)
{
#if PY_VERSION_HEX >= 0x030E0000
    PyUnstable_Object_EnableDeferredRefcount(object);
#else
    object->ob_tid = _Py_UNOWNED_TID;
    object->ob_ref_local = _Py_IMMORTAL_REFCNT_LOCAL;
    object->ob_ref_shared = 0;
#endif
}

static PyObject *
made(PyObject *function, vectorcallfunc how)
{
    Call *self = (Call *)call_type->tp_alloc(call_type, 0);
    if (self == NULL) {
        return NULL;
    }
    self->vectorcall = how;
    self->function = Py_NewRef(function);
    if (PyFunction_Check(function)) { /* what a module or a class has, and no method of one object */
        keep_for_ever((PyObject *)self);
    }
    return (PyObject *)self;
}

/* -- the module ------------------------------------------------------------------------------------------ */

static PyObject *
guarded(PyObject *module, PyObject *function)
{
    return made(function, call_guarded);
}

static PyObject *
outside(PyObject *module, PyObject *function)
{
    return made(function, call_outside);
}

static PyObject *
py_has_guard(PyObject *module, PyObject *unused)
{
    return PyBool_FromLong(has());
}

static PyObject *
py_take(PyObject *module, PyObject *unused)
{
    take();
    Py_RETURN_NONE;
}

static PyObject *
py_let_go(PyObject *module, PyObject *unused)
{
    if (!has()) {
        PyErr_SetString(PyExc_RuntimeError, "the guard is not held here");
        return NULL;
    }
    let_go();
    Py_RETURN_NONE;
}

static PyObject *
py_renew(PyObject *module, PyObject *unused)
{
    mutex = (PyMutex){0};
    take();
    Py_RETURN_NONE;
}

static PyMethodDef methods[] = {
    {"guarded", guarded, METH_O, "The function, called with the guard held."},
    {"outside", outside, METH_O, "The function, called without the guard."},
    {"has_guard", py_has_guard, METH_NOARGS, "Whether the calling kernel thread holds the guard."},
    {"take", py_take, METH_NOARGS, "Take the guard, which the caller must not have."},
    {"let_go", py_let_go, METH_NOARGS, "Let the guard go."},
    {"renew", py_renew, METH_NOARGS, "In a forked child, whose only kernel thread held the guard: it holds it still."},
    {NULL, NULL, 0, NULL},
};

static int
begin(PyObject *module)
{
    if (call_type == NULL) {
        call_type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &call_spec, NULL);
    }
    if (call_type == NULL) {
        return -1;
    }
    return PyModule_AddIntConstant(module, "REVISION", REVISION);
}

static PyModuleDef_Slot slots[] = {
    {Py_mod_exec, begin},
    {Py_mod_multiple_interpreters, Py_MOD_MULTIPLE_INTERPRETERS_NOT_SUPPORTED},
    {Py_mod_gil, Py_MOD_GIL_NOT_USED},
    {0, NULL},
};

static struct PyModuleDef definition = {
    .m_base = PyModuleDef_HEAD_INIT,
    .m_name = "weft.host._guard",
    .m_methods = methods,
    .m_slots = slots,
};

PyMODINIT_FUNC
PyInit__guard(void)
{
    return PyModuleDef_Init(&definition);
}
