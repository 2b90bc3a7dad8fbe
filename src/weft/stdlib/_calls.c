/* What is hot in `weft.futures.UserExecutor`, in C: the fields of its futures, and `submit` where nothing is out
 * of the ordinary. All else is done by the function in Python that it is made of (user_pool.py), and the two
 * are of one behaviour.
 *
 * The interpreter's lock guards it: a build without that lock has the Python version.
 */

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stddef.h>
#include <structmember.h>

#ifdef Py_GIL_DISABLED
#error "the interpreter's lock guards this module"
#endif

#define REVISION 1 /* user_pool.py has the same; raise both when what one expects of the other changes */

/* -- a call ---------------------------------------------------------------------------------------------- */

/* The base of the futures: their fields, where an ordinary object would have them in its dictionary. */
typedef struct {
    PyObject_HEAD
    PyObject *state, *result, *exception, *lazy_condition, *parked, *callbacks, *fn, *args;
} Call;

#define FIELD(text, name) {text, T_OBJECT_EX, offsetof(Call, name), 0, NULL}

static PyMemberDef call_members[] = {
    FIELD("_state", state),
    FIELD("_result", result),
    FIELD("_exception", exception),
    FIELD("_lazy_condition", lazy_condition),
    FIELD("_parked", parked),
    FIELD("_callbacks", callbacks),
    FIELD("fn", fn),
    FIELD("args", args),
    {NULL, 0, 0, 0, NULL},
};

static int
call_traverse(Call *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(self->state);
    Py_VISIT(self->result);
    Py_VISIT(self->exception);
    Py_VISIT(self->lazy_condition);
    Py_VISIT(self->parked);
    Py_VISIT(self->callbacks);
    Py_VISIT(self->fn);
    Py_VISIT(self->args);
    return 0;
}

static int
call_clear(Call *self)
{
    Py_CLEAR(self->state);
    Py_CLEAR(self->result);
    Py_CLEAR(self->exception);
    Py_CLEAR(self->lazy_condition);
    Py_CLEAR(self->parked);
    Py_CLEAR(self->callbacks);
    Py_CLEAR(self->fn);
    Py_CLEAR(self->args);
    return 0;
}

static void
call_dealloc(Call *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    call_clear(self);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyType_Slot call_slots[] = {
    {Py_tp_members, call_members},
    {Py_tp_traverse, call_traverse},
    {Py_tp_clear, call_clear},
    {Py_tp_dealloc, call_dealloc},
    {0, NULL},
};

static PyType_Spec call_spec = {
    .name = "weft.stdlib._calls.Call",
    .basicsize = sizeof(Call),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = call_slots,
};

static PyTypeObject *call_type;

/* -- submit ---------------------------------------------------------------------------------------------- */

static PyObject *str_crew, *str_append, *no_args;

/* A function that binds, as one in Python does. */
typedef struct {
    PyObject_HEAD
    vectorcallfunc vectorcall;
    PyObject *slow;                       /* the same in Python */
    PyTypeObject *task, *crew;            /* the classes of its futures, and of what it puts them into */
    Py_ssize_t closed, coming, items;     /* where a crew has these */
    PyObject *state, *dict;
} Submit;

static inline PyObject *
at(PyObject *of, Py_ssize_t offset)
{
    return *(PyObject **)((char *)of + offset);
}

/* A call is put into the line, and somebody is coming: there is nothing else to do. */
static inline int
ordinary(Submit *self, PyObject *crew)
{
    return at(crew, self->closed) == Py_None && at(crew, self->coming) == Py_True && at(crew, self->items) != NULL;
}

/* The future of a call of `args[0]` with the rest; NULL with an exception set. */
static PyObject *
new_task(Submit *self, PyObject *const *args, Py_ssize_t count)
{
    PyObject *rest = no_args;
    if (count == 1)
        Py_INCREF(rest);
    else {
        rest = PyTuple_New(count - 1);
        if (rest == NULL)
            return NULL;
        for (Py_ssize_t n = 1; n < count; n++)
            PyTuple_SET_ITEM(rest, n - 1, Py_NewRef(args[n]));
    }
    Call *task = (Call *)self->task->tp_alloc(self->task, 0);
    if (task == NULL) {
        Py_DECREF(rest);
        return NULL;
    }
    task->state = Py_NewRef(self->state);
    task->result = Py_NewRef(Py_None);
    task->exception = Py_NewRef(Py_None);
    task->lazy_condition = Py_NewRef(Py_None);
    task->parked = Py_NewRef(Py_None);
    task->callbacks = Py_NewRef(Py_None);
    task->fn = Py_NewRef(args[0]);
    task->args = rest;
    return (PyObject *)task;
}

static PyObject *
submit_call(Submit *self, PyObject *const *args, size_t nargsf, PyObject *names)
{
    Py_ssize_t count = PyVectorcall_NARGS(nargsf);
    if (count < 2 || (names != NULL && PyTuple_GET_SIZE(names) != 0))
        return PyObject_Vectorcall(self->slow, args, nargsf, names);
    PyObject *crew = PyObject_GetAttr(args[0], str_crew), *task = NULL;
    if (crew == NULL)
        return NULL; /* as the other one, which asks for it first */
    if (Py_IS_TYPE(crew, self->crew) && ordinary(self, crew)) {
        task = new_task(self, args + 1, count - 1);
        if (task == NULL) {
            Py_DECREF(crew);
            return NULL;
        }
        /* To make it may have run a garbage collection, and a finalizer. From here to the append nothing runs. */
        if (ordinary(self, crew)) {
            PyObject *done = PyObject_CallMethodOneArg(at(crew, self->items), str_append, task);
            if (done == NULL)
                Py_CLEAR(task);
            else
                Py_DECREF(done);
            Py_DECREF(crew);
            return task;
        }
        Py_DECREF(task);
    }
    Py_DECREF(crew);
    return PyObject_Vectorcall(self->slow, args, nargsf, names);
}

/* Where the instances of a class with slots have one of them; -1 with an exception set. */
static Py_ssize_t
offset_of(PyTypeObject *type, const char *name)
{
    PyObject *found = PyObject_GetAttrString((PyObject *)type, name);
    Py_ssize_t offset = -1;
    if (found == NULL)
        return -1;
    if (Py_IS_TYPE(found, &PyMemberDescr_Type))
        offset = ((PyMemberDescrObject *)found)->d_member->offset;
    else
        PyErr_Format(PyExc_TypeError, "%s has no slot %s", type->tp_name, name);
    Py_DECREF(found);
    return offset;
}

static PyObject *
submit_new(PyTypeObject *type, PyObject *args, PyObject *Py_UNUSED(kwargs))
{
    PyObject *slow, *state;
    PyTypeObject *task, *crew;
    if (!PyArg_ParseTuple(args, "OO!O!O:Submit", &slow, &PyType_Type, &task, &PyType_Type, &crew, &state))
        return NULL;
    if (!PyType_IsSubtype(task, call_type)) {
        PyErr_Format(PyExc_TypeError, "%s is no Call", task->tp_name);
        return NULL;
    }
    Submit *self = (Submit *)type->tp_alloc(type, 0);
    if (self == NULL)
        return NULL;
    self->vectorcall = (vectorcallfunc)submit_call;
    self->slow = Py_NewRef(slow);
    self->task = (PyTypeObject *)Py_NewRef((PyObject *)task);
    self->crew = (PyTypeObject *)Py_NewRef((PyObject *)crew);
    self->state = Py_NewRef(state);
    if ((self->closed = offset_of(crew, "closed")) < 0 || (self->coming = offset_of(crew, "coming")) < 0 ||
        (self->items = offset_of(crew, "items")) < 0) {
        Py_DECREF(self);
        return NULL;
    }
    return (PyObject *)self;
}

static PyObject *
submit_get(PyObject *self, PyObject *of, PyObject *Py_UNUSED(type))
{
    return of == NULL || of == Py_None ? Py_NewRef(self) : PyMethod_New(self, of);
}

static int
submit_traverse(Submit *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(self->slow);
    Py_VISIT(self->task);
    Py_VISIT(self->crew);
    Py_VISIT(self->state);
    Py_VISIT(self->dict);
    return 0;
}

static int
submit_clear(Submit *self)
{
    Py_CLEAR(self->slow);
    Py_CLEAR(self->task);
    Py_CLEAR(self->crew);
    Py_CLEAR(self->state);
    Py_CLEAR(self->dict);
    return 0;
}

static void
submit_dealloc(Submit *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    submit_clear(self);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyMemberDef submit_members[] = {
    {"__vectorcalloffset__", T_PYSSIZET, offsetof(Submit, vectorcall), READONLY, NULL},
    {"__dictoffset__", T_PYSSIZET, offsetof(Submit, dict), READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyGetSetDef submit_getset[] = {
    {"__dict__", PyObject_GenericGetDict, PyObject_GenericSetDict, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot submit_slots[] = {
    {Py_tp_new, submit_new},
    {Py_tp_call, PyVectorcall_Call},
    {Py_tp_descr_get, submit_get},
    {Py_tp_members, submit_members},
    {Py_tp_getset, submit_getset},
    {Py_tp_traverse, submit_traverse},
    {Py_tp_clear, submit_clear},
    {Py_tp_dealloc, submit_dealloc},
    {0, NULL},
};

static PyType_Spec submit_spec = {
    .name = "weft.stdlib._calls.Submit",
    .basicsize = sizeof(Submit),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL | Py_TPFLAGS_METHOD_DESCRIPTOR |
             Py_TPFLAGS_IMMUTABLETYPE,
    .slots = submit_slots,
};

/* -- the module ------------------------------------------------------------------------------------------ */

static struct PyModuleDef module = {
    PyModuleDef_HEAD_INIT, .m_name = "weft.stdlib._calls", .m_doc = "What is hot in UserExecutor, in C.", .m_size = -1,
};

PyMODINIT_FUNC
PyInit__calls(void)
{
    str_crew = PyUnicode_InternFromString("_crew");
    str_append = PyUnicode_InternFromString("append");
    no_args = PyTuple_New(0);
    if (str_crew == NULL || str_append == NULL || no_args == NULL)
        return NULL;
    PyObject *made = PyModule_Create(&module);
    if (made == NULL)
        return NULL;
    call_type = (PyTypeObject *)PyType_FromSpec(&call_spec);
    PyObject *submit_type = PyType_FromSpec(&submit_spec);
    if (call_type == NULL || submit_type == NULL || PyModule_AddObjectRef(made, "Call", (PyObject *)call_type) < 0 ||
        PyModule_AddObjectRef(made, "Submit", submit_type) < 0 ||
        PyModule_AddIntConstant(made, "REVISION", REVISION) < 0) {
        Py_XDECREF(submit_type);
        Py_DECREF(made);
        return NULL;
    }
    Py_DECREF(submit_type);
    return made;
}
